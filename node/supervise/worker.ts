/**
 * One stream's life: attempt after attempt, its state, its totals, one log line per change of state. Fails only when
 * another process has taken the stream over; everything else is tried again by the restart policy.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Applier } from '../apply/applier.ts';
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { localError } from '../database/local-error.ts';
import type { SharedLooks } from '../database/shared-looks.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import type { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ParkedView } from '../parking/parked-view.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Provider } from '../provider/provider.ts';
import { Trail } from '../reconcile/trail.ts';
import { mendedBy, restartAfter, type Restart } from './restart-policy.ts';
import { CutCount } from './cut-count.ts';
import { StreamDoubted } from './prove-or-mend.ts';
import type { StartGate, StartPlace } from './start-gate.ts';
import { attemptStream, type StreamEnds } from './stream-attempt.ts';
import type { StreamReport } from './stream-report.ts';
import { StreamStanding } from './stream-standing.ts';
import type { StreamEvent } from './stream-state.ts';
import { addProgress, noTotals, type StreamTotals } from './stream-totals.ts';

export interface WorkerOptions {
  readonly scope: StreamScope;
  /** The replication set. */
  readonly tables: readonly ReplicatedTable[];
  readonly database: TributaryDatabase;
  readonly ends: StreamEnds;
  readonly log: Log;
  /** Of all streams of the process. */
  readonly gate: StartGate;
  /** Of all streams of the process. */
  readonly looks: SharedLooks;
  /** Totals of an earlier worker of this stream. */
  readonly totals?: StreamTotals;
  /** What is complete here has changed. */
  readonly completenessChanged: () => void;
}

/** A connection that held this long ends a row of failures. */
const steadyMs = 10_000;
const connectedPollMs = 50;
/** Its turn to connect; shorter for a child that was not reached the time before, longer for one that has answered. */
const turnMs = 2000;
const unreachedTurnMs = 250;
const answeredTurnMs = 20_000;

export class Worker {
  /** What is parked of the stream; shared by apply and by whoever acts on it. */
  readonly parked: ParkedView;
  readonly #options: WorkerOptions;
  readonly #standing: StreamStanding;
  readonly #trail = new Trail();
  readonly #cuts = new CutCount();
  #position: Lsn | null = null;
  #provider: Provider | null = null;
  #applier: Applier | null = null;
  #ended: StreamTotals;
  #textOnly = false;
  #steady = false;
  #wake = new AbortController();
  #turn = new AbortController();
  #failures = 0;
  /** Its turn to connect. */
  #place: StartPlace | null = null;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#standing = new StreamStanding(options.scope.provider, options.log);
    this.parked = new ParkedView(options.scope.provider);
    this.#ended = options.totals ?? noTotals;
  }

  /** Resolves when told to stop. @throws TributaryError fenced. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.#standing.move('attempted');
        this.#turn = new AbortController();
        const turn = AbortSignal.any([signal, this.#turn.signal]);
        const error = (await this.#enter(turn)) ? await this.#attempt(turn) : null;
        if (error && !signal.aborted) {
          await this.#wait(this.#fail(error), signal);
        }
      }
    } finally {
      this.#standing.move('ended');
    }
  }

  /** Ends a wait for the next attempt at once. */
  wake(): void {
    this.#standing.move('woken');
    this.#wake.abort();
  }

  /** Ends the attempt under way in good order, or the wait for the next one, and begins anew: what is asked of it changed. */
  begin(): void {
    this.#turn.abort();
    this.wake();
  }

  report(): StreamReport {
    return {
      provider: this.#options.scope.provider,
      state: this.#standing.state,
      since: this.#standing.since,
      failure: this.#standing.failure,
      position: this.#applier?.progress().position ?? this.#position,
      progress: this.#provider?.progress() ?? null,
      totals: addProgress(
        this.#ended,
        this.#provider?.progress() ?? null,
        this.#applier?.progress() ?? null,
      ),
    };
  }

  /** Waits for its turn to connect; false: told to stop first. */
  async #enter(signal: AbortSignal): Promise<boolean> {
    const unreached = this.#standing.failure?.code === 'provider_unreachable';
    const ms = unreached ? unreachedTurnMs : turnMs;
    this.#place = await this.#options.gate.enter(ms, signal);
    return this.#place !== null;
  }

  /** Null when the attempt ended because it was told to. */
  async #attempt(signal: AbortSignal): Promise<TributaryError | null> {
    const { scope, tables, database, ends, log, completenessChanged } = this.#options;
    this.#steady = false;
    const watch = new AbortController();
    let watching: Promise<void> = Promise.resolve();
    try {
      await attemptStream(
        {
          scope,
          tables,
          database,
          ends,
          log,
          trail: this.#trail,
          parked: this.parked,
          looks: this.#options.looks,
          textOnly: this.#textOnly,
          seen: this.#cuts.doubt,
        },
        {
          opened: (provider) => {
            this.#provider = provider;
          },
          described: () => {
            this.#place?.keep(answeredTurnMs);
            this.#standing.move('described');
          },
          began: () => completenessChanged(),
          mended: () => {
            this.#cuts.forget();
            completenessChanged();
          },
          completenessChanged,
          proved: (row, applier) => {
            this.#position = row.position;
            this.#applier = applier;
            watching = this.#watchConnection(watch.signal);
          },
          applied: (position) => {
            this.#position = position;
            this.#steady = true;
            this.#place?.leave();
            this.#standing.move('connected');
          },
        },
        signal,
      );
      return null;
    } catch (error) {
      const failure = localError(error);
      this.#cuts.failed(failure.code, this.#provider?.progress().spooling ?? null);
      return failure;
    } finally {
      this.#place?.leave();
      watch.abort();
      await watching;
      this.#endAttempt();
    }
  }

  #endAttempt(): void {
    this.#ended = addProgress(
      this.#ended,
      this.#provider?.progress() ?? null,
      this.#applier?.progress() ?? null,
    );
    this.#provider = null;
    this.#applier = null;
  }

  /** The stream connects when its first part is asked for; only its progress tells when that was. */
  async #watchConnection(signal: AbortSignal): Promise<void> {
    let connectedAt: number | null = null;
    while (!signal.aborted && !this.#steady) {
      const progress = this.#provider?.progress();
      if (progress?.connected) {
        connectedAt ??= performance.now();
        this.#place?.leave();
        const held = performance.now() - connectedAt > steadyMs;
        const { failure } = this.#standing;
        const enough = failure === null || mendedBy(failure.code) === 'connection';
        if (enough || (held && !progress.pending)) {
          this.#standing.move('connected');
          this.#steady ||= held;
        }
      }
      await pause(connectedPollMs, undefined, { signal }).catch(() => {});
    }
  }

  #fail(error: TributaryError): Restart {
    if (error.policy === 'stop') {
      throw error;
    }
    this.#textOnly ||= error.code === 'text_needed';
    this.#failures = this.#steady ? 1 : this.#failures + 1;
    const restart = restartAfter(error.code, this.#failures, Math.random());
    const failure = {
      code: error.code,
      context: error.context,
      doubts: error instanceof StreamDoubted ? error.doubts : [],
      count: this.#failures,
      retryAt: new Date(Date.now() + restart.delayMs),
    };
    this.#standing.fail(failure, eventOf(error), restart.level);
    return restart;
  }

  async #wait({ delayMs }: Restart, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    const either = AbortSignal.any([signal, this.#wake.signal]);
    await pause(delayMs, undefined, { signal: either }).catch(() => {});
    this.#standing.retrying();
  }
}

function eventOf(error: TributaryError): StreamEvent {
  if (error.code === 'paused') {
    return 'found_paused';
  }
  return error.policy === 'passing' ? 'failed_passing' : 'failed_person';
}
