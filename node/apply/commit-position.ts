/**
 * The end of a local transaction: position, what is noted with it and commit, sent in one go. The position is the fence:
 * where another process moved it or raised the epoch, the commit sent behind it rolls back.
 */
import { wantAllSql } from '../database/reconcile-tables.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import { formatLsn, type Lsn } from '../pgoutput/lsn.ts';
import type { Session } from './session.ts';

export interface Fence {
  readonly provider: string;
  readonly epoch: bigint;
  readonly from: Lsn;
  readonly to: Lsn;
}

export interface Committing {
  /** A transaction is open. */
  readonly begun: boolean;
  readonly carriesCommit: boolean;
  readonly publicationChanged: boolean;
  /** What was sent because what is parked changes; empty: it does not. */
  readonly completeness: readonly Promise<unknown>[];
}

/** @throws TributaryError fenced; the database's error. */
export async function commitPosition(
  session: Session,
  fence: Fence,
  { begun, carriesCommit, publicationChanged, completeness }: Committing,
): Promise<void> {
  const moved = move(session, fence, carriesCommit);
  const noted =
    publicationChanged || completeness.length > 0
      ? noteIncomplete(session, fence.provider, publicationChanged)
      : Promise.resolve();
  // crash point: position-sent
  const committed = begun ? session.command('commit') : Promise.resolve();
  // crash point: commit-sent
  const all = await Promise.allSettled([...completeness, moved, noted, committed]);
  // Those behind the first that fails only follow it.
  const failed = all.find((each) => each.status === 'rejected');
  if (failed) {
    throw sqlFailure(failed.reason)?.sqlstate === '22012'
      ? new TributaryError('fenced', { provider: fence.provider, epoch: fence.epoch })
      : failed.reason;
  }
}

/** Divides by zero where no row moved. */
async function move(session: Session, fence: Fence, carriesCommit: boolean): Promise<void> {
  await session.query(
    `with moved as (
       update tributary.stream set position = $4::pg_lsn, updated = now(),
         last_commit = case when $5::boolean then $4::pg_lsn else last_commit end
       where provider = $1 and epoch = $2::bigint and position = $3::pg_lsn
       returning 1
     ) select 1 / count(*)::int as moved from moved`,
    [
      fence.provider,
      fence.epoch.toString(),
      formatLsn(fence.from),
      formatLsn(fence.to),
      carriesCommit,
    ],
  );
}

/** What the publication now lets through and stood at the provider before is not here, and no change will bring it. */
async function noteIncomplete(
  session: Session,
  provider: string,
  publicationChanged: boolean,
): Promise<void> {
  const mark = `update tributary.stream set incomplete = coalesce(incomplete, 'publication_changed') where provider = $1`;
  await Promise.all([
    publicationChanged ? session.query(mark, [provider]) : null,
    publicationChanged ? session.query(wantAllSql, [provider, 'publication_changed']) : null,
    session.query('select tributary.refresh_origins()'),
  ]);
}
