/** A part whose transactions lie in memory; without any it carries a keepalive's position. */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';

export class MemoryPart implements Part {
  readonly position: Lsn;
  readonly transactionCount: number;
  readonly bytes: number;
  readonly spooled = false;
  #transactions: readonly Transaction[];

  constructor(content: {
    readonly transactions: readonly Transaction[];
    readonly position: Lsn;
    readonly bytes: number;
  }) {
    this.position = content.position;
    this.transactionCount = content.transactions.length;
    this.bytes = content.bytes;
    this.#transactions = content.transactions;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous for parts that are on disk
  async *slices(): AsyncGenerator<readonly Transaction[]> {
    if (this.#transactions.length > 0) {
      yield this.#transactions;
    }
  }

  release(): Promise<void> {
    this.#transactions = [];
    return Promise.resolve();
  }
}
