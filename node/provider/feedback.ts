/**
 * What a subscriber says to a walsender and when; pure. A flushed position is exactly what is durable here: a commit's
 * position already is the end of its record, and one byte more skips a commit that begins there.
 */
import type { Lsn } from '../pgoutput/lsn.ts';

export interface Positions {
  /** End of the last whole transaction or keepalive received. */
  readonly received: Lsn;
  /** Everything before it is durable here. */
  readonly confirmed: Lsn;
}

const second = 1000;
const mebibyte = 1 << 20;
const epoch2000Ms = Date.UTC(2000, 0, 1);

/** How often a status is sent, paused or not: a third of wal_sender_timeout, at most 10 s. 0 means no timeout. */
export function statusIntervalMs(walSenderTimeoutMs: number): number {
  return walSenderTimeoutMs > 0 ? Math.min(walSenderTimeoutMs / 3, 10 * second) : 10 * second;
}

/**
 * Standby status update (PostgreSQL manual, "Streaming Replication Protocol"): 34 bytes.
 * @param options nowMs: milliseconds since 1970; ask: the walsender shall answer with a keepalive
 */
export function standbyStatus(
  positions: Positions,
  options: { readonly nowMs: number; readonly ask: boolean },
): Buffer {
  const written =
    positions.received > positions.confirmed ? positions.received : positions.confirmed;
  const status = Buffer.alloc(34);
  status.write('r', 0, 'latin1');
  status.writeBigUInt64BE(written, 1);
  status.writeBigUInt64BE(positions.confirmed, 9);
  status.writeBigUInt64BE(positions.confirmed, 17);
  status.writeBigInt64BE(BigInt(Math.round(options.nowMs - epoch2000Ms)) * 1000n, 25);
  status.writeUInt8(options.ask ? 1 : 0, 33);
  return status;
}

/**
 * Whether a keepalive's position is worth a part of its own: it is stored durably before it is confirmed, so at most
 * every 10 s or 16 MB of log, unless it reaches a position that somebody waits for.
 */
export function keepalivePartDue(facts: {
  readonly idle: Lsn | null;
  readonly delivered: Lsn;
  readonly wanted: Lsn;
  readonly sinceDeliveredMs: number;
}): boolean {
  const { idle, delivered, wanted } = facts;
  return (
    idle !== null &&
    idle > delivered &&
    ((wanted > delivered && idle >= wanted) ||
      facts.sinceDeliveredMs >= 10 * second ||
      idle - delivered >= BigInt(16 * mebibyte))
  );
}
