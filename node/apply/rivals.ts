/** Rows that unique values of other rows keep out: by how many indexes, and whether they keep out each other. */
import type { ParkCause } from '../parking/parked-key.ts';
import { bind, type Form, params } from './binding.ts';
import type { KeyedRow, UpdatedRow } from './collapse.ts';
import type { Layout } from './layout.ts';
import { circleSql, rivalsSql } from './statements.ts';
import { standingTuple } from './table-statements.ts';
import type { Work } from './work.ts';

export interface Stuck {
  readonly row: KeyedRow | UpdatedRow;
  readonly cause: ParkCause;
  readonly inserted: boolean;
}

interface Rivalry {
  readonly layout: Layout;
  readonly form: Form;
  readonly work: Work;
}

/**
 * How many unique indexes hold a value of each for another row; one whose index can not be asked, because it is partial
 * or over expressions, is missing.
 */
export async function rivalsOf<Row extends Stuck>(
  stuck: readonly Row[],
  { layout, form, work }: Rivalry,
): Promise<ReadonlyMap<Row, number>> {
  const { uniques, key } = layout.target;
  const needed = new Set([...key, ...uniques.flatMap((one) => one.columns)]);
  const columns = params(
    layout.columns.filter(
      ({ index, column }) =>
        needed.has(column.name) && stuck.every(({ row }) => row.tuple.kind(index) !== 'unchanged'),
    ),
    form,
  );
  const rows = stuck.filter(
    ({ cause, row }) =>
      uniques.some(({ name }) => name === cause.constraint) &&
      // Its own row stands here under the other key.
      !('keyChanged' in row && row.keyChanged),
  );
  if (rows.length === 0) {
    return new Map();
  }
  const tuples = rows.map(({ row }) => row.tuple);
  const { rows: found } = await work.query(
    rivalsSql(layout, columns, uniques),
    bind(columns, tuples, layout.table),
  );
  const counts = new Map(
    (found as { n: number; rivals: number }[]).map((one) => [one.n, one.rivals]),
  );
  return new Map(rows.map((row, index) => [row, counts.get(index + 1) ?? 0]));
}

/** Counts each by PostgreSQL's name for it. */
export async function countUniqueConflicts(
  stuck: readonly Stuck[],
  rivalry: Rivalry,
): Promise<void> {
  const rows = stuck.filter(({ cause }) => unique(cause));
  const rivals = await rivalsOf(rows, rivalry);
  for (const one of rows) {
    const single = one.inserted ? 'insert_exists' : 'update_exists';
    const many = (rivals.get(one) ?? 0) > 1;
    rivalry.work.tally.conflict(many ? 'multiple_unique_conflicts' : single, rivalry.layout.table);
  }
}

/** Whether two of them may keep out each other, so that only the order of the changes gets them in. */
export async function mayCircle(stuck: readonly Stuck[], rivalry: Rivalry): Promise<boolean> {
  if (stuck.length < 2) {
    return false;
  }
  const { layout, form, work } = rivalry;
  const standing = stuck.filter(({ inserted }) => !inserted).map(({ row }) => standingTuple(row));
  for (const [constraint, rows] of Map.groupBy(stuck, ({ cause }) => cause.constraint)) {
    const index = layout.target.uniques.find(({ name }) => name === constraint);
    const columns = params(
      layout.columns.filter(({ column }) => index?.columns.includes(column.name)),
      form,
    );
    const tuples = rows.map(({ row }) => row.tuple);
    const known = columns.every((one) =>
      tuples.every((tuple) => tuple.kind(one.index) !== 'unchanged'),
    );
    if (!index || columns.length < index.columns.length || !known) {
      return true;
    }
    const key = params(layout.key, form);
    const values = [...bind(columns, tuples, layout.table), ...bind(key, standing, layout.table)];
    const { rows: found } = await work.query(circleSql(layout, columns, key), values);
    if (found.length > 0) {
      return true;
    }
  }
  return false;
}

function unique({ sqlstate }: ParkCause): boolean {
  return sqlstate === '23505' || sqlstate === '23P01';
}
