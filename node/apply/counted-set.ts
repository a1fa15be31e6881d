/**
 * Sets sent one behind the other, each under a savepoint of its own: those before the first that fails are in, that one
 * is undone with the place of the row it failed at. The place is told by a sequence that no failure takes back; it is
 * sure where rows are inserted one by one, and a good guess elsewhere.
 */
import type { ParkCause } from '../parking/parked-key.ts';
import { parkCause } from './failure.ts';
import type { Statement } from './table-statements.ts';
import type { Work } from './work.ts';

export interface Volley {
  /** The answers of the sets that went in, in their order. */
  readonly went: readonly Answer[];
  /** Why the set behind them did not; null: all are in. */
  readonly failed: Failed | null;
}

export interface Answer {
  readonly rowCount: number;
  readonly rows: readonly unknown[];
}

export interface Failed {
  readonly cause: ParkCause;
  /** Place of the row, from 0; null: not known. */
  readonly at: number | null;
}

const mark = 'savepoint tributary_set';
const between = 'release savepoint tributary_set; savepoint tributary_set';
const release = 'release savepoint tributary_set';
const undo = 'rollback to savepoint tributary_set; release savepoint tributary_set';
const next = `select nextval('tributary.row_at')::float8 as at`;
const current = `select currval('tributary.row_at')::float8 as at`;

/** @throws the database's error where it is not a row's own; TributaryError drifted */
export async function fire(statements: readonly Statement[], work: Work): Promise<Volley> {
  const { query, command } = work;
  const marks = [command(mark)];
  const before = query(next);
  const answers = statements.map(async ({ text, values }, index) => {
    if (index > 0) {
      marks.push(command(between));
    }
    return await query(text, values);
  });
  marks.push(command(release));
  const [settled, marked] = await Promise.all([
    Promise.allSettled(answers),
    Promise.allSettled([before, ...marks]),
  ]);
  const went: Answer[] = [];
  for (const [index, answer] of settled.entries()) {
    const statement = statements[index];
    if (answer.status === 'fulfilled') {
      went.push({ rowCount: answer.value.rowCount ?? 0, rows: answer.value.rows });
    } else if (statement) {
      const cause = parkCause(answer.reason, statement.layout.table);
      return { went, failed: { cause, at: await place(statements, index, { work, before }) } };
    }
  }
  const lost = marked.find((one) => one.status === 'rejected');
  if (lost) {
    throw lost.reason;
  }
  return { went, failed: null };
}

/** Undoes the set that failed; the place in it of the row. */
async function place(
  statements: readonly Statement[],
  index: number,
  { work, before }: { readonly work: Work; readonly before: Promise<Answered> },
): Promise<number | null> {
  const [, after] = await Promise.all([work.command(undo), work.query(current)]);
  const counted = statements.slice(0, index).reduce((sum, { count }) => sum + count, 0);
  const from = atOf(await before);
  const to = atOf(after);
  const at = from === null || to === null ? 0 : to - from - counted;
  return at >= 1 && at <= (statements[index]?.count ?? 0) ? at - 1 : null;
}

interface Answered {
  readonly rows: readonly unknown[];
}

function atOf({ rows }: Answered): number | null {
  return (rows as { at: number }[])[0]?.at ?? null;
}
