/**
 * What a snapshot of the provider sees, against the transactions of its stream; pure. A commit record is in the log, and
 * may be applied here, before its transaction is visible there: while it waits for a synchronous standby, for minutes.
 * A snapshot's ids have 64 bits, those in the stream the lower 32 of them.
 */

/** As in pg_snapshot (PostgreSQL manual, "Transaction ID and Snapshot Information Functions"). */
export interface Snapshot {
  /** Everything below it has ended. */
  readonly xmin: bigint;
  /** Nothing at or above it is seen. */
  readonly xmax: bigint;
  /** Running, between the two. */
  readonly running: readonly bigint[];
}

/** `xmin:xmax:xip,xip`. @throws RangeError */
export function parseSnapshot(text: string): Snapshot {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text);
  if (!match) {
    throw new RangeError('not a pg_snapshot');
  }
  const [, xmin = '', xmax = '', list = ''] = match;
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    running: list === '' ? [] : list.split(',').map(BigInt),
  };
}

/**
 * Whether a transaction of the stream had ended for that snapshot. Ids of running transactions are less than 2^31
 * apart, so the 32 bits are taken as the id nearest to the snapshot's.
 */
export function sees(snapshot: Snapshot, xid: number): boolean {
  const whole = wholeXid(xid, snapshot.xmax);
  if (whole >= snapshot.xmax) {
    return false;
  }
  return whole < snapshot.xmin || !snapshot.running.includes(whole);
}

function wholeXid(xid: number, near: bigint): bigint {
  const distance = BigInt.asIntN(32, BigInt(xid) - near);
  return near + distance;
}
