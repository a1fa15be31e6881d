/**
 * How often the link was cut in the middle of one and the same transaction too large for memory: each time it is sent
 * again from its beginning, so over a bad link it may never arrive. Pure.
 */
import type { ErrorCode } from '../errors.ts';
import { formatLsn, type Lsn } from '../pgoutput/lsn.ts';
import type { Doubt } from '../provider/provider.ts';

/** After so many the difference is cheaper than another try. */
const mostCuts = 5;

const cuts: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['link_cut', 'link_silent']);

export class CutCount {
  #commit: Lsn | null = null;
  #count = 0;

  /** Reason to leave the transaction to a comparison; null: not yet. */
  get doubt(): Doubt | null {
    return this.#commit === null || this.#count < mostCuts
      ? null
      : {
          name: 'transaction_cut',
          detail: { commit: formatLsn(this.#commit), cuts: this.#count },
        };
  }

  /** An attempt failed; `spooling`: where the transaction that was on its way commits. */
  failed(code: ErrorCode, spooling: Lsn | null): void {
    if (spooling !== null && cuts.has(code)) {
      this.#count = spooling === this.#commit ? this.#count + 1 : 1;
      this.#commit = spooling;
    }
  }

  forget(): void {
    this.#commit = null;
    this.#count = 0;
  }
}
