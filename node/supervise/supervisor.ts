/**
 * One worker per child that is not retired, side by side: one failing leaves the others alone. A new file begins every
 * stream anew; the same file read again wakes those that wait, and restarts those whose secret changed.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type {
  NodeConfig,
  ReplicatedTable,
  Secret,
  StreamScope,
  Topology,
} from '../config/model.ts';
import { replicationSet } from '../config/built-in.ts';
import { childrenOf, scopeOf } from '../config/tree.ts';
import { SharedLooks } from '../database/shared-looks.ts';
import { queryOf, type TributaryDatabase } from '../database/tables.ts';
import type { Log } from '../log.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { StreamEnds } from './stream-attempt.ts';
import { StartGate } from './start-gate.ts';
import { noTotals } from './stream-totals.ts';
import type { StreamReport } from './stream-report.ts';
import { Worker } from './worker.ts';

export interface SupervisorOptions {
  readonly database: TributaryDatabase;
  /** Ends of the streams by the topology in force. */
  readonly ends: (topology: Topology) => StreamEnds;
  readonly log: Log;
  /** What is complete here has changed. */
  readonly completenessChanged: () => void;
}

interface Wanted {
  readonly scope: StreamScope;
  readonly tables: readonly ReplicatedTable[];
  readonly ends: StreamEnds;
  readonly fingerprint: string;
}

interface Running {
  readonly worker: Worker;
  /** Everything of the topology this stream depends on. */
  readonly fingerprint: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** How long streams may take to finish what is in their hands; less than a planned stop has in all. */
export const drainMs = 8000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, Running>();
  /** The last report of workers that ended, so that totals go on and a stopped stream stays visible. */
  readonly #last = new Map<string, StreamReport>();
  readonly #gate = new StartGate();
  readonly #looks: SharedLooks;
  readonly #failed = Promise.withResolvers<never>();
  #turn: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: SupervisorOptions, last: readonly StreamReport[] = []) {
    this.#options = options;
    this.#looks = new SharedLooks(queryOf(options.database));
    for (const report of last) {
      this.#last.set(report.provider, report);
    }
    this.#failed.promise.catch(() => {});
  }

  /** Resolves when told to stop and every stream has ended. @throws TributaryError fenced. */
  async run(topology: Topology, node: NodeConfig, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    if (signal.aborted) {
      return;
    }
    try {
      await this.reconfigure(topology, node);
      await Promise.race([aborted.promise, this.#failed.promise]);
    } finally {
      this.#ended = true;
      await this.#turn;
      await Promise.all([...this.#running.keys()].map(async (name) => await this.#stop(name)));
    }
  }

  /**
   * Makes the workers those of `topology`; calls take turns. `between`: when no stream runs by the file before any more, and
   * none by the new one yet. @throws what it threw; then no stream of a changed file runs.
   */
  async reconfigure(
    topology: Topology,
    node: NodeConfig,
    between: () => Promise<void> = async () => {},
  ): Promise<void> {
    const turn = this.#turn.then(async () => await this.#change(topology, node, between));
    this.#turn = turn.catch(() => {});
    await turn;
  }

  /** The stream of that child begins a new attempt, and finds whether it is paused now. */
  begin(provider: string): void {
    this.#running.get(provider)?.worker.begin();
  }

  /** What is parked of a stream that runs. */
  parkedOf(provider: string): ParkedView | null {
    return this.#running.get(provider)?.worker.parked ?? null;
  }

  reports(): readonly StreamReport[] {
    const live = [...this.#running.values()].map(({ worker }) => worker.report());
    const names = new Set(live.map(({ provider }) => provider));
    const ended = [...this.#last.values()].filter(({ provider }) => !names.has(provider));
    return [...live, ...ended].sort((a, b) => (a.provider < b.provider ? -1 : 1));
  }

  async #change(topology: Topology, node: NodeConfig, between: () => Promise<void>): Promise<void> {
    if (this.#ended) {
      return;
    }
    const wanted = new Map(this.#wanted(topology, node).map((one) => [one.scope.provider, one]));
    const others = [...this.#running].filter(
      ([name, { fingerprint }]) => wanted.get(name)?.fingerprint !== fingerprint,
    );
    await Promise.all(others.map(async ([name]) => await this.#stop(name)));
    await between();
    for (const name of this.#last.keys()) {
      if (!wanted.has(name)) {
        this.#last.delete(name);
      }
    }
    for (const [name, one] of wanted) {
      const running = this.#running.get(name);
      if (running) {
        running.worker.wake();
      } else {
        this.#start(one);
      }
    }
  }

  #wanted(topology: Topology, node: NodeConfig): readonly Wanted[] {
    const tables = replicationSet(topology);
    const ends = this.#options.ends(topology);
    return childrenOf(topology, node).map((child) => {
      const scope = scopeOf(topology, node.name, child.name);
      // Each connection shows the file it runs by, and a child's `forget` relies on it.
      const { digest } = topology;
      const fingerprint = fingerprintOf({ child, scope, tables, spool: node.spool, digest });
      return { scope, tables, ends, fingerprint };
    });
  }

  #start({ scope, tables, ends, fingerprint }: Wanted): void {
    const { database, log, completenessChanged } = this.#options;
    const worker = new Worker({
      scope,
      tables,
      database,
      ends,
      log,
      gate: this.#gate,
      looks: this.#looks,
      completenessChanged,
      totals: this.#last.get(scope.provider)?.totals ?? noTotals,
    });
    const stop = new AbortController();
    const done = worker.run(stop.signal).catch((error: unknown) => {
      this.#failed.reject(error);
    });
    this.#running.set(scope.provider, { worker, fingerprint, stop, done });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) {
      return;
    }
    running.stop.abort();
    const deadline = new AbortController();
    await Promise.race([
      running.done,
      pause(drainMs, undefined, { signal: deadline.signal }).catch(() => {}),
    ]);
    deadline.abort();
    this.#last.set(name, running.worker.report());
    this.#running.delete(name);
  }
}

/** Secrets by their content too: a new password behind the same name is a reason to connect again. */
function fingerprintOf(parts: {
  readonly child: NodeConfig;
  readonly scope: StreamScope;
  readonly tables: readonly ReplicatedTable[];
  readonly spool: string | null;
  readonly digest: string;
}): string {
  const { provider } = parts.child;
  return JSON.stringify([parts, provider && secretDigest(provider)], (_key, value: unknown) =>
    value instanceof Set || value instanceof Map ? [...(value as Iterable<unknown>)] : value,
  );
}

function secretDigest(secret: Secret): string {
  try {
    return createHash('sha256').update(secret.read()).digest('hex');
  } catch {
    return 'unreadable';
  }
}
