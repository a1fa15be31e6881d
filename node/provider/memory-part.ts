/**
 * A part whose transactions lie in memory; without any it carries a keepalive's position. The objects that are their changes
 * live as long as one slice: what is alive when the heap is collected is copied.
 */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';

export class MemoryPart implements Part {
  readonly position: Lsn;
  readonly transactionCount: number;
  readonly bytes: number;
  readonly spooled = false;
  #slices: readonly (readonly Transaction[])[];

  constructor(content: {
    readonly slices: readonly (readonly Transaction[])[];
    readonly position: Lsn;
    readonly bytes: number;
  }) {
    this.position = content.position;
    this.transactionCount = content.slices.reduce((sum, { length }) => sum + length, 0);
    this.bytes = content.bytes;
    this.#slices = content.slices;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous for parts that are on disk
  async *slices(): AsyncGenerator<readonly Transaction[]> {
    for (const slice of this.#slices) {
      yield slice;
      slice.forEach((transaction) => transaction.forget?.());
    }
  }

  release(): Promise<void> {
    this.#slices = [];
    return Promise.resolve();
  }
}
