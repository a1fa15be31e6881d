/** A part whose transactions lie in memory; without any it carries a keepalive's position. */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';

/** Transactions that are not objects yet. */
export interface Waiting {
  readonly transactionCount: number;
  /** Bytes of their messages. */
  readonly bytes: number;
  /** Makes them. @throws TributaryError protocol */
  read(): readonly Transaction[];
}

export class MemoryPart implements Part {
  readonly position: Lsn;
  readonly transactionCount: number;
  readonly bytes: number;
  readonly spooled = false;
  #waiting: Waiting | null;
  /** Made when they are first asked for: whoever watches the stream and apply read the same. */
  #transactions: readonly Transaction[] | null = null;

  constructor(position: Lsn, waiting: Waiting | null) {
    this.position = position;
    this.transactionCount = waiting?.transactionCount ?? 0;
    this.bytes = waiting?.bytes ?? 0;
    this.#waiting = waiting;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous for parts that are on disk
  async *slices(): AsyncGenerator<readonly Transaction[]> {
    this.#transactions ??= this.#waiting?.read() ?? [];
    if (this.#transactions.length > 0) {
      yield this.#transactions;
    }
  }

  release(): Promise<void> {
    this.#waiting = null;
    this.#transactions = null;
    return Promise.resolve();
  }
}
