/**
 * Tributary's own stream as in production: provider `direct` as the reading role, worker, applier as the writing role.
 * It can be held, so that what waits arrives in few large parts.
 */
import type { Topology } from '../../config/model.ts';
import { nodeOf, scopeOf } from '../../config/tree.ts';
import { openPool } from '../../database/connect.ts';
import { SharedLooks } from '../../database/shared-looks.ts';
import { queryOf, tributaryDatabase } from '../../database/tables.ts';
import { openApplier } from '../../apply/open-applier.ts';
import { replicationSet } from '../../config/built-in.ts';
import { silent } from '../../log.ts';
import { openDirect } from '../../provider/direct.ts';
import type { Provider } from '../../provider/provider.ts';
import { StartGate } from '../../supervise/start-gate.ts';
import type { StreamEnds } from '../../supervise/stream-attempt.ts';
import type { StreamReport } from '../../supervise/stream-report.ts';
import { Worker } from '../../supervise/worker.ts';
import { roles, type TestDatabase } from '../database.ts';
import { until } from '../until.ts';
import { type Gate, gated } from './gate.ts';

export interface OursOptions {
  readonly topology: Topology;
  readonly subscriber: string;
  readonly provider: string;
  readonly databases: { readonly provider: TestDatabase; readonly copy: TestDatabase };
  /** chosen: as apply decides. */
  readonly format: 'text' | 'chosen';
  readonly gate: Gate;
}

export class Ours implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #format: Format;
  readonly #stack: AsyncDisposableStack;

  private constructor(worker: Worker, format: Format, stack: AsyncDisposableStack) {
    this.#worker = worker;
    this.#format = format;
    this.#stack = stack;
  }

  /** Resolves when it streams from a slot of its own. */
  static async start(options: OursOptions): Promise<Ours> {
    const { topology, subscriber, provider, databases } = options;
    await using stack = new AsyncDisposableStack();
    const pool = openPool({
      url: databases.copy.url(roles.writer),
      applicationName: 'tributary oracle',
      max: 2,
    });
    stack.defer(async () => await pool.end());
    const format: Format = { asked: null };
    const database = tributaryDatabase(pool);
    const worker = new Worker({
      scope: scopeOf(topology, subscriber, provider),
      tables: replicationSet(topology),
      database,
      ends: endsOf(options, format),
      log: silent,
      gate: new StartGate(),
      looks: new SharedLooks(queryOf(database)),
      completenessChanged: () => {},
    });
    const stop = new AbortController();
    const running = worker.run(stop.signal);
    stack.defer(async () => {
      stop.abort();
      await running;
    });
    const ours = new Ours(worker, format, stack.move());
    await until(() => ours.report().state === 'streaming', {
      what: 'Tributary streams',
      ms: 60_000,
    });
    return ours;
  }

  /** The format the stream was last asked for. */
  get format(): 'text' | 'binary' | null {
    return this.#format.asked;
  }

  report(): StreamReport {
    return this.#worker.report();
  }

  /** Ends the wait after a failure. */
  wake(): void {
    this.#worker.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface Format {
  asked: 'text' | 'binary' | null;
}

function endsOf(
  { topology, subscriber, databases, format, gate }: OursOptions,
  noted: Format,
): StreamEnds {
  return {
    openProvider: (child): Provider =>
      gated(
        openDirect({
          url: databases.provider.url(roles.reader),
          provider: child,
          subscriber,
          topologyDigest: topology.digest,
          version: 'oracle',
          log: silent,
        }),
        gate,
      ),
    openApplier: async ({ scope, epoch, position, parked }) => {
      const applier = await openApplier({
        url: databases.copy.url(roles.writer),
        applicationName: `tributary oracle apply`,
        scope,
        tables: replicationSet(topology),
        node: nodeOf(topology, subscriber).name,
        epoch,
        position,
        parked,
        log: silent,
      });
      const decide = applier.format.bind(applier);
      applier.format = async (tables) => {
        noted.asked = format === 'text' ? 'text' : await decide(tables);
        return noted.asked;
      };
      return applier;
    },
  };
}
