/**
 * Constraints that rows of late have broken. Which of many rows break one is asked of PostgreSQL at once: found one failure
 * after the other, a bad row among a hundred cost two round trips and the work undone with it, and a backlog of them three
 * to five times as long as one without.
 */
import { ident, qualified } from '../database/ident.ts';
import { passes, sqlFailure } from '../database/sqlstate.ts';
import type { ParkCause } from '../parking/parked-key.ts';
import { bind, type Form, params } from './binding.ts';
import type { KeyedRow, UpdatedRow } from './collapse.ts';
import type { Layout } from './layout.ts';
import { rivalsOf } from './rivals.ts';
import { source } from './statements.ts';
import type { UniqueIndex } from './target.ts';
import type { Work } from './work.ts';

/** A check constraint as the catalogue tells it. */
interface Check {
  readonly name: string;
  readonly expression: string;
  readonly columns: readonly string[];
}

type Offence =
  | { readonly kind: 'check'; readonly cause: ParkCause; readonly check: Check }
  | { readonly kind: 'unique'; readonly cause: ParkCause; readonly index: UniqueIndex };

type Row = KeyedRow | UpdatedRow;

interface Place {
  readonly layout: Layout;
  readonly form: Form;
  readonly work: Work;
}

/** With more, values seem to be on the move from row to row, and only trying tells. */
const mostRivals = 1000;

export class Offences {
  #known = new WeakMap<Layout, Map<string, Offence | null>>();

  /** Bad rows come no more, for now: a constraint may change until the next. */
  forget(): void {
    this.#known = new WeakMap();
  }

  /** True: rows can be asked for the constraint from now on. @throws the database's error where it passes. */
  async learn(cause: ParkCause, { layout, work }: Omit<Place, 'form'>): Promise<boolean> {
    const { sqlstate, constraint } = cause;
    const known = this.#known.get(layout) ?? new Map<string, Offence | null>();
    if (constraint === null || known.has(constraint)) {
      return false;
    }
    const offence =
      sqlstate === '23514'
        ? await checkOf(cause, constraint, { layout, work })
        : sqlstate === '23505'
          ? uniqueOf(cause, constraint, layout)
          : null;
    known.set(constraint, offence);
    this.#known.set(layout, known);
    return offence !== null;
  }

  /** Which of the rows break what is known, and how. @throws the database's error where it passes. */
  async offenders<R extends Row>(
    rows: readonly R[],
    place: Place,
  ): Promise<ReadonlyMap<R, ParkCause>> {
    const found = new Map<R, ParkCause>();
    const known = this.#known.get(place.layout);
    for (const [name, offence] of known ?? []) {
      const left = found.size === 0 ? rows : rows.filter((row) => !found.has(row));
      if (!offence || left.length === 0) {
        continue;
      }
      const broken = await tried(place.work, async () =>
        offence.kind === 'check'
          ? await breaking(left, offence.check, place)
          : await rivals(left, offence, place),
      );
      if (!broken) {
        known?.set(name, null);
      }
      broken?.forEach((row) => found.set(row, offence.cause));
    }
    return found;
  }
}

/** Null: it can not be asked for, as it is about columns that are not sent, or belongs to a partition. */
async function checkOf(
  cause: ParkCause,
  name: string,
  { layout, work }: Omit<Place, 'form'>,
): Promise<Offence | null> {
  const { rows } = await work.query(
    `select pg_catalog.pg_get_expr(c.conbin, c.conrelid) as expression,
       (select coalesce(jsonb_agg(a.attname), '[]') from pg_catalog.pg_attribute a
        where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) as columns
     from pg_catalog.pg_constraint c
     where c.conrelid = $1::regclass and c.conname = $2 and c.contype = 'c'`,
    [qualified(layout.target), name],
  );
  const [row] = rows as { expression: string; columns: readonly string[] }[];
  const sent = new Set(layout.columns.map(({ column }) => column.name));
  return row && row.columns.length > 0 && row.columns.every((column) => sent.has(column))
    ? { kind: 'check', cause, check: { name, ...row } }
    : null;
}

/** Null: of the key, which tells whether a row is here; or no index that can be asked. */
function uniqueOf(cause: ParkCause, name: string, { target }: Layout): Offence | null {
  const index = target.uniques.find((one) => one.name === name);
  return index && !index.columns.every((column) => target.key.includes(column))
    ? { kind: 'unique', cause, index }
    : null;
}

async function breaking<R extends Row>(
  rows: readonly R[],
  check: Check,
  { layout, form, work }: Place,
): Promise<readonly R[]> {
  const columns = params(
    layout.columns.filter(({ column }) => check.columns.includes(column.name)),
    form,
  );
  const whole = rows.filter(
    ({ tuple }) =>
      !tuple.hasUnchanged || columns.every(({ index }) => tuple.kind(index) !== 'unchanged'),
  );
  if (whole.length === 0) {
    return [];
  }
  const tuples = whole.map(({ tuple }) => tuple);
  const { rows: found } = await work.query(checkSql(columns, check), [
    ...bind(columns, tuples, layout.table),
    qualified(layout.target),
    check.name,
    check.expression,
  ]);
  return (found as { n: number }[]).flatMap(({ n }) => whole[n - 1] ?? []);
}

async function rivals<R extends Row>(
  rows: readonly R[],
  { cause, index }: { readonly cause: ParkCause; readonly index: UniqueIndex },
  { layout, form, work }: Place,
): Promise<readonly R[]> {
  const target = { ...layout.target, uniques: [index] };
  const stuck = rows.map((row) => ({ row, cause, inserted: true }));
  const counts = await rivalsOf(stuck, { layout: { ...layout, target }, form, work });
  const found = [...counts].flatMap(([{ row }, count]) => (count > 0 ? [row] : []));
  return found.length > mostRivals ? [] : found;
}

/**
 * Which rows (`n`, from 1) break a check, as long as it stands in the catalogue as it is known. Parameters: the check's
 * columns, table, name and expression.
 */
function checkSql(values: ReturnType<typeof params>, { expression }: Check): string {
  const number = '"number of the row"';
  const columns = values.map(
    ({ column }, at) => `s.c${at + 1}::${column.type} as ${ident(column.name)}`,
  );
  const [table, name, text] = [1, 2, 3].map((each) => `$${values.length + each}`);
  return `select r.${number}::int as n from (select ${columns.join(', ')}, s.n as ${number} from ${source(values, 'counted')}) r where (${expression}) is false and exists (select from pg_catalog.pg_constraint c where c.conrelid = ${table}::regclass and c.conname = ${name} and pg_catalog.pg_get_expr(c.conbin, c.conrelid) = ${text})`;
}

/** Null: it can not be asked; the transaction is as it was. */
async function tried<T>(work: Work, ask: () => Promise<T>): Promise<T | null> {
  const marked = work.command('savepoint tributary_ask');
  const [, asked] = await Promise.allSettled([marked, ask()]);
  if (asked.status === 'fulfilled') {
    await work.command('release savepoint tributary_ask');
    return asked.value;
  }
  const failure = sqlFailure(asked.reason);
  if (!failure || passes(failure)) {
    throw asked.reason;
  }
  await work.command('rollback to savepoint tributary_ask; release savepoint tributary_ask');
  return null;
}
