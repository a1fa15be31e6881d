/** State and failure of one stream, and the log line of each change. */
import { adviceOf, textOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Restart } from './restart-policy.ts';
import type { StreamFailure } from './stream-report.ts';
import { nextState, type StreamEvent, type StreamState } from './stream-state.ts';

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

export class StreamStanding {
  readonly #provider: string;
  readonly #log: Log;
  #state: StreamState = 'starting';
  #since = new Date();
  #failure: StreamFailure | null = null;
  #said: { readonly what: string; readonly level: Restart['level'] } = { what: '', level: 'info' };

  constructor(provider: string, log: Log) {
    this.#provider = provider;
    this.#log = log;
  }

  get state(): StreamState {
    return this.#state;
  }

  get since(): Date {
    return this.#since;
  }

  get failure(): StreamFailure | null {
    return this.#failure;
  }

  move(event: StreamEvent): void {
    if (event === 'connected' && this.#state !== 'streaming') {
      this.#failure = null;
    }
    this.#enter(event, 'info');
  }

  fail(failure: StreamFailure, event: StreamEvent, level: Restart['level']): void {
    this.#failure = failure;
    this.#enter(event, level);
  }

  /** The wait after a failure is over. */
  retrying(): void {
    if (this.#failure) {
      this.#failure = { ...this.#failure, retryAt: null };
    }
  }

  #enter(event: StreamEvent, level: Restart['level']): void {
    const state = nextState(this.#state, event);
    if (state !== this.#state) {
      this.#state = state;
      this.#since = new Date();
    }
    this.#say(level);
  }

  /** A state with the same reason is said once, and again only when it becomes more serious. */
  #say(level: Restart['level']): void {
    const failure = this.#failure;
    const what = `${this.#state} ${failure?.code ?? ''}`;
    if (what === this.#said.what && ranks[level] <= ranks[this.#said.level]) {
      return;
    }
    this.#said = { what, level };
    this.#log[level](
      {
        stream: this.#provider,
        state: this.#state,
        ...(failure && {
          ...failure.context,
          code: failure.code,
          reason: textOf(failure.code),
          advice: adviceOf(failure.code),
          failures: failure.count,
        }),
      },
      `stream ${this.#provider} is ${sentences[this.#state]}`,
    );
  }
}
