/**
 * A set under a savepoint of its own: in, or undone with the place of the row it failed at. The place is told by a
 * sequence that no failure takes back; it is sure where rows are inserted one by one, and a good guess elsewhere.
 */
import type { ParkCause } from '../parking/parked-key.ts';
import { parkCause } from './failure.ts';
import type { Statement } from './table-statements.ts';
import type { Work } from './work.ts';

export type SetOutcome =
  | { readonly kind: 'in'; readonly rowCount: number; readonly rows: readonly unknown[] }
  /** `at`: place of the row, from 0; null: not known. */
  | { readonly kind: 'failed'; readonly cause: ParkCause; readonly at: number | null };

const mark = 'savepoint tributary_set';
const undo = 'rollback to savepoint tributary_set';
const release = 'release savepoint tributary_set';
const next = `select nextval('tributary.row_at')::float8 as at`;
const current = `select currval('tributary.row_at')::float8 as at`;

/** @throws the database's error where it is not a row's own; TributaryError drifted */
export async function runCounted(statement: Statement, work: Work): Promise<SetOutcome> {
  const sent = [
    work.command(mark),
    work.query(next),
    work.query(statement.text, statement.values),
    work.command(release),
  ] as const;
  const [, before, done] = await Promise.allSettled(sent);
  if (done.status === 'fulfilled') {
    return { kind: 'in', rowCount: done.value.rowCount ?? 0, rows: done.value.rows };
  }
  const cause = parkCause(done.reason, statement.layout.table);
  const [, , after] = await Promise.all([
    work.command(undo),
    work.command(release),
    work.query(current),
  ]);
  const from = before.status === 'fulfilled' ? atOf(before.value.rows) : null;
  const to = atOf(after.rows);
  const place = from === null || to === null ? 0 : to - from;
  return { kind: 'failed', cause, at: place >= 1 && place <= statement.count ? place - 1 : null };
}

function atOf(rows: readonly unknown[]): number | null {
  return (rows as { at: number }[])[0]?.at ?? null;
}
