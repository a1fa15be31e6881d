/**
 * One stream's life: attempt after attempt, its state, its totals, one log line per change of state. Fails only when
 * another process has taken the stream over; everything else is tried again by the restart policy.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Applier } from '../apply/applier.ts';
import type { StreamScope } from '../config/model.ts';
import { localError } from '../database/local-error.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import {
  adviceOf,
  textOf,
  type ErrorCode,
  type ErrorContext,
  type TributaryError,
} from '../errors.ts';
import type { Log } from '../log.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Doubt, Provider, StreamProgress } from '../provider/provider.ts';
import { restartAfter, type Restart } from './restart-policy.ts';
import { attemptStream, StreamDoubted, type StreamEnds } from './stream-attempt.ts';
import { nextState, type StreamEvent, type StreamState } from './stream-state.ts';
import { addProgress, noTotals, type StreamTotals } from './stream-totals.ts';

export interface WorkerOptions {
  readonly scope: StreamScope;
  readonly database: TributaryDatabase;
  readonly ends: StreamEnds;
  readonly log: Log;
  /** Totals of an earlier worker of this stream. */
  readonly totals?: StreamTotals;
  /** What is complete here has changed. */
  readonly completenessChanged: () => void;
}

export interface StreamReport {
  readonly provider: string;
  readonly state: StreamState;
  readonly since: Date;
  /** Why it does not stream; null: it streams, or has not failed yet. */
  readonly failure: StreamFailure | null;
  /** null: not in this process, or the stream never began. */
  readonly position: Lsn | null;
  /** Null while no connection is open. */
  readonly progress: StreamProgress | null;
  readonly totals: StreamTotals;
  /** Tables whose rows go in without some sent columns: table -> those columns. */
  readonly partial: ReadonlyMap<string, readonly string[]>;
}

export interface StreamFailure {
  readonly code: ErrorCode;
  readonly context: ErrorContext;
  readonly doubts: readonly Doubt[];
  /** In a row. */
  readonly count: number;
  /** Time of the next attempt; null: under way. */
  readonly retryAt: Date | null;
}

/** A stream no worker of this process carries. */
export function stoppedStream(provider: string, since = new Date()): StreamReport {
  return {
    provider,
    state: 'stopped',
    since,
    failure: null,
    position: null,
    progress: null,
    totals: noTotals,
    partial: new Map(),
  };
}

/** A connection that held this long ends a row of failures. */
const steadyMs = 10_000;
const connectedPollMs = 50;

export class Worker {
  readonly #options: WorkerOptions;
  #state: StreamState = 'starting';
  #since = new Date();
  #failure: StreamFailure | null = null;
  #position: Lsn | null = null;
  #partial: ReadonlyMap<string, readonly string[]> = new Map();
  #provider: Provider | null = null;
  #applier: Applier | null = null;
  #ended: StreamTotals;
  #textOnly = false;
  #steady = false;
  #wake = new AbortController();
  #failures = 0;
  #said: { readonly what: string; readonly level: Restart['level'] } = { what: '', level: 'info' };

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#ended = options.totals ?? noTotals;
  }

  /** Resolves when told to stop. @throws TributaryError fenced. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.#move('attempted');
        const error = await this.#attempt(signal);
        if (error && !signal.aborted) {
          await this.#wait(this.#fail(error), signal);
        }
      }
    } finally {
      this.#move('ended');
    }
  }

  /** Ends a wait for the next attempt at once. */
  wake(): void {
    this.#move('woken');
    this.#wake.abort();
  }

  report(): StreamReport {
    return {
      provider: this.#options.scope.provider,
      state: this.#state,
      since: this.#since,
      failure: this.#failure,
      position: this.#applier?.progress().position ?? this.#position,
      progress: this.#provider?.progress() ?? null,
      totals: addProgress(
        this.#ended,
        this.#provider?.progress() ?? null,
        this.#applier?.progress() ?? null,
      ),
      partial: this.#applier?.progress().partial ?? this.#partial,
    };
  }

  /** Null when the attempt ended because it was told to. */
  async #attempt(signal: AbortSignal): Promise<TributaryError | null> {
    const { scope, database, ends, completenessChanged } = this.#options;
    this.#steady = false;
    const watch = new AbortController();
    let watching: Promise<void> = Promise.resolve();
    try {
      await attemptStream(
        { scope, database, ends, textOnly: this.#textOnly },
        {
          opened: (provider) => {
            this.#provider = provider;
          },
          described: () => this.#move('described'),
          began: () => completenessChanged(),
          proved: (row, applier) => {
            this.#position = row.position;
            this.#applier = applier;
            watching = this.#watchConnection(watch.signal);
          },
          applied: (position) => {
            this.#position = position;
            this.#steady = true;
            this.#connected();
          },
        },
        signal,
      );
      return null;
    } catch (error) {
      return localError(error);
    } finally {
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
    this.#partial = this.#applier?.progress().partial ?? this.#partial;
    this.#provider = null;
    this.#applier = null;
  }

  /** The stream connects when its first part is asked for; only its progress tells when that was. */
  async #watchConnection(signal: AbortSignal): Promise<void> {
    let connectedAt: number | null = null;
    while (!signal.aborted && !this.#steady) {
      if (this.#provider?.progress().connected) {
        connectedAt ??= performance.now();
        this.#connected();
        this.#steady ||= performance.now() - connectedAt > steadyMs;
      }
      await pause(connectedPollMs, undefined, { signal }).catch(() => {});
    }
  }

  #connected(): void {
    if (this.#state !== 'streaming') {
      this.#failure = null;
      this.#move('connected');
    }
  }

  #fail(error: TributaryError): Restart {
    if (error.policy === 'stop') {
      throw error;
    }
    this.#textOnly ||= error.code === 'text_needed';
    this.#failures = this.#steady ? 1 : this.#failures + 1;
    const restart = restartAfter(error.code, this.#failures, Math.random());
    this.#failure = {
      code: error.code,
      context: error.context,
      doubts: error instanceof StreamDoubted ? error.doubts : [],
      count: this.#failures,
      retryAt: new Date(Date.now() + restart.delayMs),
    };
    this.#move(eventOf(error), restart.level);
    return restart;
  }

  async #wait({ delayMs }: Restart, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    const either = AbortSignal.any([signal, this.#wake.signal]);
    await pause(delayMs, undefined, { signal: either }).catch(() => {});
    if (this.#failure) {
      this.#failure = { ...this.#failure, retryAt: null };
    }
  }

  #move(event: StreamEvent, level: Restart['level'] = 'info'): void {
    const state = nextState(this.#state, event);
    if (state !== this.#state) {
      this.#state = state;
      this.#since = new Date();
    }
    this.#say(level);
  }

  /** A state, with the same reason, is said once, and again only when it becomes more serious. */
  #say(level: Restart['level']): void {
    const what = `${this.#state} ${this.#failure?.code ?? ''}`;
    if (what === this.#said.what && ranks[level] <= ranks[this.#said.level]) {
      return;
    }
    this.#said = { what, level };
    const { provider } = this.#options.scope;
    const failure = this.#failure;
    this.#options.log[level](
      {
        stream: provider,
        state: this.#state,
        ...(failure && {
          ...failure.context,
          code: failure.code,
          reason: textOf(failure.code),
          advice: adviceOf(failure.code),
          failures: failure.count,
        }),
      },
      `stream ${provider} is ${sentences[this.#state]}`,
    );
  }
}

const ranks = { info: 0, warn: 1, error: 2 } as const;

const sentences = {
  starting: 'starting',
  proving: 'proving its provider',
  streaming: 'streaming',
  retrying: 'down and tried again',
  person: 'waiting for a person',
  paused: 'paused',
  stopped: 'stopped',
} as const satisfies Record<StreamState, string>;

function eventOf(error: TributaryError): StreamEvent {
  if (error.code === 'paused') {
    return 'found_paused';
  }
  return error.policy === 'passing' ? 'failed_passing' : 'failed_person';
}
