/** One local transaction, tried until it is done or fails for good. */
import { setTimeout as pause } from 'node:timers/promises';
import { TributaryError } from '../errors.ts';
import type { NewParked } from '../parking/parked-key.ts';
import { driftOfError } from '../parking/table-drift.ts';
import { Broken } from './deferred-check.ts';
import { applyFailure, catalogueChanged, worthRetrying } from './failure.ts';
import { retryDelayMs } from './retry.ts';
import type { Session } from './session.ts';

export interface Attempt {
  /** The catalogue was read anew for it. */
  readonly catalogueFresh: boolean;
  /** Keys the transaction is applied without. */
  readonly without: readonly NewParked[];
}

/** The part is applied again without a table, which is left out by now. */
export class Isolated extends Error {}

/**
 * Repeats the whole local transaction while it fails by what passes, or by keys it can do without. After a failure no
 * transaction is open. @throws TributaryError
 */
export async function untilDone<T>(
  { session, forgetTables }: { readonly session: Session; readonly forgetTables: () => void },
  once: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  let catalogueFresh = false;
  const without: NewParked[] = [];
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once({ catalogueFresh, without });
    } catch (error) {
      await rollback(session);
      const broken = error instanceof Broken ? error.besides(without) : [];
      if (broken.length > 0) {
        without.push(...broken);
        continue;
      }
      if (error instanceof Isolated) {
        continue;
      }
      if ((catalogueChanged(error) || driftOfError(error)) && !catalogueFresh) {
        catalogueFresh = true;
        forgetTables();
        continue;
      }
      const delayMs = worthRetrying(error) ? retryDelayMs(attempt, Math.random()) : null;
      if (delayMs === null || session.lost) {
        throw session.lost ? lost(error) : applyFailure(error);
      }
      await pause(delayMs);
    }
  }
}

async function rollback(session: Session): Promise<void> {
  if (!session.lost) {
    // Outside a transaction it is a warning only; over a broken connection the next statement tells.
    await session.command('rollback').catch(() => {});
  }
}

/** With the connection gone every other failure is only its consequence. */
function lost(error: unknown): TributaryError {
  return error instanceof TributaryError
    ? error
    : new TributaryError('database_unreachable', {}, { cause: error });
}
