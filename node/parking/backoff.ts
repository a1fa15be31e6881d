/** When a parked key is tried again by itself: soon, then after twice as long each time, up to six hours. */
import type { ParkReason } from './parked-key.ts';

export const backoff = { firstMs: 60_000, longestMs: 6 * 3_600_000 } as const;

/** Of these the row itself is in order: it only has to be brought. */
const atOnce: ReadonlySet<ParkReason> = new Set(['value_missing', 'update_missing']);

/** Milliseconds from when a key is parked to its first retry. */
export function firstRetryMs(reason: ParkReason): number {
  return atOnce.has(reason) ? 0 : backoff.firstMs;
}
