/** How long to wait before the whole local transaction is tried again after a deadlock or a lock not given. Pure. */

const attempts = 6;
const firstMs = 20;
const longestMs = 2000;

/** Milliseconds; null: enough, the supervisor is told. `jitter` is from 0 to 1. */
export function retryDelayMs(attempt: number, jitter: number): number | null {
  if (attempt >= attempts) {
    return null;
  }
  return Math.min(firstMs * 2 ** attempt, longestMs) * (0.5 + jitter);
}
