/** When a failed stream is tried again, and how loud its log line is. Pure; chance is given. */
import { policyOf, type ErrorCode } from '../errors.ts';

export interface Restart {
  readonly delayMs: number;
  /** Rises with the delay: a link that flaps is news of another kind than one that stays down. */
  readonly level: 'info' | 'warn' | 'error';
}

export const leastDelayMs = 250;
export const greatestDelayMs = 30_000;
export const personDelayMs = 60_000;

/**
 * `failures`: how many in a row, this one included. `chance`: 0 to 1.
 * A passing failure doubles the delay from 0.25 s to 30 s, less up to a half by chance, so that the streams a common
 * failure ended do not come back in step. A failure that needs a person is looked at once a minute.
 */
export function restartAfter(code: ErrorCode, failures: number, chance: number): Restart {
  if (code === 'text_needed') {
    return { delayMs: 0, level: 'info' };
  }
  if (policyOf(code) !== 'passing') {
    return { delayMs: personDelayMs, level: code === 'paused' ? 'info' : 'error' };
  }
  const whole = Math.min(greatestDelayMs, leastDelayMs * 2 ** Math.min(failures, 20));
  const delayMs = Math.max(leastDelayMs, Math.round(whole * (1 - chance / 2)));
  return { delayMs, level: levelOf(delayMs) };
}

const applyCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'drifted',
  'disk_full',
  'local_busy',
  'database_unreachable',
  'spool_full',
  'reader_slow',
]);

/**
 * What shows that a failure is mended. A part that can not be stored fails again at every attempt, each time after the
 * connection stood: only a part that went in is a proof.
 */
export function mendedBy(code: ErrorCode): 'connection' | 'part' {
  return applyCodes.has(code) ? 'part' : 'connection';
}

function levelOf(delayMs: number): Restart['level'] {
  if (delayMs < 1000) {
    return 'info';
  }
  return delayMs < 6500 ? 'warn' : 'error';
}
