/**
 * Streams with tables that are to be compared or made equal. One question serves all streams of the process: of hundreds
 * each else asks for itself every other second, and nearly always hears that there is nothing.
 */
import type { Query } from './query.ts';

/** So old an answer may be; whoever asks comes again. */
const freshMs = 1000;

export class OpenWork {
  readonly #query: Query;
  #asked = Number.NEGATIVE_INFINITY;
  #providers: Promise<ReadonlySet<string>> = Promise.resolve(new Set());

  constructor(query: Query) {
    this.#query = query;
  }

  /** Whether the stream may have some; what was noted within the last second may be missed. @throws the database's error */
  async of(provider: string): Promise<boolean> {
    if (performance.now() - this.#asked > freshMs) {
      this.#asked = performance.now();
      this.#providers = this.#ask();
      this.#providers.catch(() => {
        this.#asked = Number.NEGATIVE_INFINITY;
      });
    }
    return (await this.#providers).has(provider);
  }

  async #ask(): Promise<ReadonlySet<string>> {
    const { rows } = await this.#query(
      `select provider from tributary.stream where incomplete is not null
       union
       select provider from tributary.reconcile where state in ('wanted', 'running', 'failed')
       union
       select provider from tributary.verify where state <> 'done'`,
    );
    return new Set((rows as { provider: string }[]).map(({ provider }) => provider));
  }
}
