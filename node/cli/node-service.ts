/**
 * The running node: while this process holds the leader's lock and the database is prepared, it supervises the streams,
 * writes heartbeats and watches what it stands on. What it knows of itself is one snapshot.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { loadTopology } from '../config/load.ts';
import type { NodeConfig, Topology } from '../config/model.ts';
import { childrenOf, nodeOf } from '../config/tree.ts';
import { itself } from '../database/audit.ts';
import { localError } from '../database/local-error.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Reloaded } from '../http/node-api.ts';
import { HeartbeatLoop } from '../monitor/heartbeat.ts';
import { VerifyWindow } from '../jobs/verify-window.ts';
import { ProbeLoop } from '../monitor/probe-loop.ts';
import type { Sampler } from '../monitor/sample.ts';
import type { Snapshot } from '../monitor/snapshot.ts';
import { lead, type LeaderState } from '../supervise/leader.ts';
import { restartAfter } from '../supervise/restart-policy.ts';
import type { StreamEnds } from '../supervise/stream-attempt.ts';
import { stoppedStream } from '../supervise/stream-report.ts';
import { Supervisor } from '../supervise/supervisor.ts';
import { complaint } from './complain.ts';
import type { Place } from './place.ts';
import { assertPrepared } from './prepared.ts';
import { StreamDeeds } from './stream-deeds.ts';
import { assertNamesKept, auditTopology, routeBy } from './tree-in-force.ts';
import { version } from './version.ts';
import type { Watch } from './watch.ts';

export interface NodeServiceOptions {
  readonly place: Place;
  readonly pool: pg.Pool;
  readonly database: TributaryDatabase;
  readonly sampler: Sampler;
  readonly ends: (topology: Topology, node: NodeConfig) => StreamEnds;
  /** Made once, over the topology in force. */
  readonly watches: (topology: () => Topology) => readonly Watch[];
  readonly log: Log;
}

export class NodeService {
  /** What a person does to the streams. */
  readonly deeds: StreamDeeds;
  readonly #options: NodeServiceOptions;
  readonly #heartbeat: HeartbeatLoop;
  readonly #name: string;
  readonly #watches: readonly Watch[];
  readonly #probes: ProbeLoop;
  readonly #window: VerifyWindow;
  #topology: Topology;
  #node: NodeConfig;
  #topologyProblems: readonly string[] = [];
  #leader: LeaderState = 'connecting';
  #problem: TributaryError | null = null;
  #serving = false;
  #supervisor: Supervisor;
  #wake = new AbortController();
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    this.#topology = options.place.topology;
    this.#node = options.place.node;
    this.#name = options.place.node.name;
    this.#watches = options.watches(() => this.#topology);
    this.#probes = new ProbeLoop({ probes: () => this.#node.probes, log: options.log });
    this.#supervisor = this.#newSupervisor();
    this.#heartbeat = new HeartbeatLoop({
      database: options.database,
      snapshot: async () => await this.snapshot(),
      log: options.log,
    });
    this.deeds = new StreamDeeds({
      node: this.#name,
      database: options.database,
      topology: () => this.#topology,
      supervisor: () => this.#supervisor,
      refusal: () =>
        this.#serving
          ? null
          : (this.#problem ?? new TributaryError('not_leading', { leader: this.#leader })),
      changed: () => this.#heartbeat.soon(),
    });
    this.#window = new VerifyWindow({
      window: () => ({ expression: this.#topology.verify, zone: this.#topology.zone }),
      ask: async () => await this.deeds.verifyAll(itself),
      log: options.log,
    });
  }

  /** Serves, or waits for its turn, until told to stop; then drains and writes a last heartbeat. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    // Ends by the same signal; an answer it waits for then is nobody's concern.
    void this.#probes.run(signal);
    await lead(
      {
        connect: {
          url: this.#node.database.read(),
          applicationName: `tributary ${this.#name} leader`,
        },
        log,
        changed: (state, error) => {
          this.#leader = state;
          // A new attempt to connect does not mend what the one before failed by.
          if (error || state !== 'connecting') {
            this.#fail(error);
          }
        },
        wake: () => this.#wakeSignal(),
      },
      async (term) => await this.#term(term, signal),
      signal,
    );
  }

  /** Everything known now; asks the database at most once a second. Never rejects. */
  async snapshot(): Promise<Snapshot> {
    const sample = await this.#options.sampler.fresh();
    return {
      topology: this.#topology,
      node: this.#node,
      version,
      pid: process.pid,
      topologyProblems: this.#topologyProblems,
      leader: this.#leader,
      serving: this.#serving,
      problem: this.#problem,
      streams: this.#streams(),
      sample,
      findings: this.#watches.flatMap((watch) => watch.findings()),
      probes: this.#probes.results,
      walsendersEnded: this.#watches.reduce(
        (sum, watch) => sum + (watch.walsendersEnded?.() ?? 0),
        0,
      ),
    };
  }

  /** Reads the file again; its problems, which leave the old one in force. Waiting streams are tried at once. */
  async reload(): Promise<Reloaded> {
    const turn = this.#reloading.then(async () => {
      const problems = await this.#reload();
      return { problems, atNextStart: this.#atNextStart() };
    });
    this.#reloading = turn.catch(() => {});
    return await turn;
  }

  async #reload(): Promise<readonly string[]> {
    const { log, place, database } = this.#options;
    try {
      const topology = await loadTopology(place.file);
      const node = nodeOf(topology, this.#name);
      if (this.#serving) {
        await assertNamesKept(database, topology);
        await this.#supervisor.reconfigure(topology, node, async () => {
          await routeBy(database, { topology, node }, log);
          const digests = { before: this.#topology.digest, digest: topology.digest };
          await auditTopology(database, this.#name, digests);
          this.#take(topology, node);
        });
      }
      if (topology !== this.#topology) {
        this.#take(topology, node);
      }
    } catch (error) {
      const problems = complaint(error);
      const { code, policy } = localError(error);
      // A database that does not answer is nothing that is wrong with the file.
      this.#topologyProblems = policy === 'passing' ? [] : problems;
      for (const problem of problems) {
        log.error(
          { code, problem },
          'the topology file was not taken; the one before stays in force',
        );
      }
      if (this.#serving) {
        // Streams may have been stopped for the file that was not taken.
        await this.#supervisor.reconfigure(this.#topology, this.#node);
      }
      return problems;
    }
    this.#wake.abort();
    if (this.#serving) {
      this.#heartbeat.soon();
    }
    return [];
  }

  #take(topology: Topology, node: NodeConfig): void {
    const { log } = this.#options;
    this.#topology = topology;
    this.#node = node;
    this.#topologyProblems = [];
    log.info({ topology: topology.digest }, 'the topology file is in force');
    const later = this.#atNextStart();
    if (later.length > 0) {
      log.warn({ changed: later.join(', ') }, 'what changed here takes effect at the next start');
    }
  }

  /** What a running process can not change: its connections to its own database, and where it listens. */
  #atNextStart(): readonly string[] {
    const { database, http } = this.#options.place.node;
    const { database: wanted, http: wantedHttp } = this.#node;
    return [
      ...(database.template === wanted.template ? [] : ['database']),
      ...(JSON.stringify(http) === JSON.stringify(wantedHttp) ? [] : ['http']),
    ];
  }

  /** One term as leader: tries to serve until it ends. @throws TributaryError fenced. */
  async #term(term: AbortSignal, stop: AbortSignal): Promise<void> {
    for (let failures = 1; !term.aborted; failures += 1) {
      try {
        await this.#serve(term, stop);
        return;
      } catch (thrown) {
        const error = localError(thrown);
        this.#fail(error);
        if (error.code === 'fenced') {
          throw error;
        }
        const { delayMs } = restartAfter(error.code, failures, Math.random());
        const either = AbortSignal.any([term, this.#wakeSignal()]);
        await pause(delayMs, undefined, { signal: either }).catch(() => {});
      }
    }
  }

  async #serve(term: AbortSignal, stop: AbortSignal): Promise<void> {
    const { pool, database, log } = this.#options;
    await assertPrepared(pool, this.#name);
    // The file may be read again while this is written: what serves below is what the routes say.
    let topology: Topology;
    do {
      topology = this.#topology;
      await assertNamesKept(database, topology);
      await routeBy(database, { topology, node: this.#node }, log);
      await this.#heartbeat.write();
    } while (topology !== this.#topology);
    const ended = new AbortController();
    const signal = AbortSignal.any([term, ended.signal]);
    const loops = [this.#heartbeat, this.#window, ...this.#watches].map(
      async (loop) => await loop.run(signal),
    );
    this.#supervisor = this.#newSupervisor();
    this.#serving = true;
    this.#fail(null);
    log.info({ topology: this.#topology.digest }, 'serving');
    try {
      await this.#supervisor.run(this.#topology, this.#node, signal);
    } finally {
      this.#serving = false;
      ended.abort();
      await Promise.allSettled(loops);
    }
    if (stop.aborted) {
      await this.#options.sampler.now();
      await this.#heartbeat.write();
    }
  }

  /** Aborts at the next reload: what failed is tried again at once. */
  #wakeSignal(): AbortSignal {
    this.#wake = new AbortController();
    return this.#wake.signal;
  }

  #newSupervisor(): Supervisor {
    const { database, ends, log } = this.#options;
    const options = {
      database,
      ends: (topology: Topology) => ends(topology, nodeOf(topology, this.#name)),
      log,
      completenessChanged: () => this.#heartbeat.soon(),
    };
    return new Supervisor(options, this.#supervisor?.reports());
  }

  #streams(): Snapshot['streams'] {
    const reports = this.#supervisor.reports();
    return childrenOf(this.#topology, this.#node).map(
      ({ name }) => reports.find(({ provider }) => provider === name) ?? stoppedStream(name),
    );
  }

  /** Notes why this process does not serve, and says it once. */
  #fail(error: TributaryError | null): void {
    const changed = error?.code !== this.#problem?.code;
    this.#problem = error;
    if (error && changed) {
      const level = error.policy === 'passing' || error.code === 'fenced' ? 'warn' : 'error';
      const { code, context, advice } = error;
      this.#options.log[level]({ ...context, code, advice }, error.message);
    }
  }
}
