/**
 * A part is what apply takes at once: whole transactions of one stream in commit order, never a piece of one.
 * A transaction too large for memory is a part by itself and is read slice by slice from the spool; its slices are
 * applied in one local transaction all the same.
 */
import type { Change } from './change.ts';
import type { Lsn } from './lsn.ts';
import type { LogicalMessage, Truncate } from './messages.ts';

/** One source transaction, or one slice of a spooled one. Ordered; Truncate and LogicalMessage keep their place. */
export interface Transaction {
  readonly xid: number;
  readonly commitLsn: Lsn;
  readonly endLsn: Lsn;
  /** Microseconds since 2000-01-01 UTC. */
  readonly commitTime: bigint;
  readonly changes: readonly Step[];
  /** True: every step is a change of a row. */
  readonly rowsOnly?: boolean;
}

export type Step = Change | Truncate | LogicalMessage;

export interface Part {
  /**
   * How far the stream is applied once this part is: the end of its last commit, or, for a part without
   * transactions, the position of a keepalive that arrived while nothing was pending.
   */
  readonly position: Lsn;
  readonly transactionCount: number;
  /** Bytes of the row messages in it. */
  readonly bytes: number;
  /** True: one transaction, larger than memory, read from the spool. */
  readonly spooled: boolean;
  /**
   * The transactions in commit order, in slices of bounded size; those that are not spooled are whole and one slice. May be
   * called again: apply repeats a part that failed.
   */
  slices(): AsyncIterable<readonly Transaction[]>;
  /** Gives back the memory or the spool file. Idempotent. Called by the stream when the next part is asked for. */
  release(): Promise<void>;
}
