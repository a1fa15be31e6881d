/**
 * `orphans: wait`: a row that arrives, or changes, while a row it refers to is not here does not go in. Found at the end
 * of a part, which is then applied again without it; its key waits, and is read again when the referred row has come. A
 * row that stands here when its referred row is withdrawn stays: it waits with its next change.
 */
import { ident, qualified } from '../database/ident.ts';
import { because, type NewParked } from '../parking/parked-key.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import { type ForeignKey, holds, nameOf, present } from './foreign-keys.ts';
import { keyTexts } from './key-texts.ts';
import { type Layout, type MappedColumn, originOfTuple } from './layout.ts';
import { rowKeyOf } from './row-key.ts';
import type { Query } from './session.ts';
import { isRewound, match, type Param, source, written } from './statements.ts';
import type { TouchedTables } from './touched-rows.ts';

export interface Judging {
  readonly query: Query;
  /** The names of the subtree as a binary text array. */
  readonly origins: Buffer;
  /** The same without those that are awaited. */
  readonly removable: Buffer;
}

/** Keys of rows that were touched and are orphans now, each once. @throws the database's error. */
export async function waitingKeys(
  keys: readonly ForeignKey[],
  touched: TouchedTables,
  judging: Judging,
): Promise<readonly NewParked[]> {
  const found = new Map<string, NewParked>();
  for (const key of keys.filter(({ rule }) => rule === 'wait')) {
    for (const { layout, tuples } of touched.get(nameOf(key.table)) ?? []) {
      const some =
        tuples === 'all'
          ? await ofWritten(key, layout, judging)
          : await ofTuples(key, layout, { tuples, judging });
      some.forEach((one) => found.set(JSON.stringify([one.table, one.key]), one));
    }
  }
  return [...found.values()];
}

/**
 * Orphans of the subtree among all rows of a table, which was copied without looking for them: they are taken out, those
 * that refer to one taken out too, and their keys wait. Rows that may be the last copy stay as they are.
 */
export async function takeOutOrphans(
  keys: readonly ForeignKey[],
  layout: Layout,
  { query, removable }: Judging,
): Promise<readonly NewParked[]> {
  const own = keys.filter(({ rule, table }) => rule === 'wait' && nameOf(table) === layout.table);
  const found: NewParked[] = [];
  for (let before = -1; before < found.length;) {
    before = found.length;
    for (const key of own) {
      const { text, origin } = told(key, layout);
      const { rows } = await query(
        `delete from ${qualified(layout.target)} t
         where ${origin} = any ($1::text[]) and not ${holds(key)} and not ${isRewound(layout)} returning ${text}`,
        [removable],
      );
      found.push(...(rows as ToldRow[]).map((row) => waiting(layout, row)));
    }
  }
  return found;
}

/** Orphans among the rows this transaction wrote. */
async function ofWritten(
  key: ForeignKey,
  layout: Layout,
  { query, origins }: Judging,
): Promise<readonly NewParked[]> {
  const { text, origin } = told(key, layout);
  const { rows } = await query(
    `select ${text} from ${qualified(layout.target)} t
     where ${written('t')} and ${origin} = any ($1::text[]) and not ${holds(key)}`,
    [origins],
  );
  return (rows as ToldRow[]).map((row) => waiting(layout, row));
}

interface ToldRow {
  readonly key: readonly string[];
  readonly origin: string;
  readonly hash: string;
}

/** The select list of an orphan. */
function told(key: ForeignKey, layout: Layout): { readonly text: string; readonly origin: string } {
  const columns = layout.key.map(({ column }) => `format('%s', t.${ident(column.name)})`);
  const origin = `t.${ident(layout.origin.column.name)}::text`;
  const text = `array[${columns.join(', ')}] as key, ${origin} as origin, ${hash(key, 't', key.columns)}::text as hash`;
  return { text, origin };
}

function waiting({ target: { schema, name } }: Layout, row: ToldRow): NewParked {
  const { key, origin, hash: waitsFor } = row;
  return {
    table: { schema, name },
    key,
    origin,
    waitsFor: BigInt(waitsFor),
    ...because('orphan'),
  };
}

/** Keys of all streams that wait for rows which were touched and are here are due now. @throws the database's error. */
export async function wake(
  keys: readonly ForeignKey[],
  touched: TouchedTables,
  { query }: Judging,
): Promise<void> {
  const waited = keys.filter(({ rule, refers }) => rule === 'wait' && touched.has(nameOf(refers)));
  if (waited.length === 0 || !(await anyWaits(query))) {
    return;
  }
  for (const key of waited) {
    for (const { layout, tuples } of touched.get(nameOf(key.refers)) ?? []) {
      const [first] = tuples;
      if (tuples !== 'all' && typeof first === 'object') {
        const columns = params(layout.key, formOf(layout, first));
        const from = `${source(columns)} join ${qualified(key.refers)} t on ${match(columns)}`;
        await query(
          `update tributary.parked p set retry_at = now()
           where p.retry_at > now() and p.waits_for in (select ${hash(key, 't', key.referred)} from ${from})`,
          bind(columns, tuples, layout.table),
        );
      }
    }
  }
}

async function anyWaits(query: Query): Promise<boolean> {
  const { rows } = await query(
    `select 1 as one from tributary.parked p where p.waits_for is not null limit 1`,
  );
  return rows.length > 0;
}

interface Rows {
  readonly tuples: readonly Tuple[];
  readonly judging: Judging;
}

async function ofTuples(
  key: ForeignKey,
  layout: Layout,
  { tuples, judging }: Rows,
): Promise<readonly NewParked[]> {
  const columns = key.columns.flatMap((name) =>
    layout.columns.filter(({ column }) => column.name === name),
  );
  if (columns.length < key.columns.length) {
    // What is not sent refers by its default.
    return [];
  }
  const suspects = await withoutReferred(key, layout, { tuples, judging, columns });
  const [first] = suspects;
  if (!first) {
    return [];
  }
  const { query, origins } = judging;
  const own = params(layout.key, formOf(layout, first));
  const origin = `t.${ident(layout.origin.column.name)}::text`;
  const { rows } = await query(
    `select s.n::int as n, ${hash(key, 't', key.columns)}::text as hash
     from ${source(own, 'counted')} join ${qualified(layout.target)} t on ${match(own)}
     where ${origin} = any ($${own.length + 1}::text[]) and not ${holds(key)}`,
    [...bind(own, suspects, layout.table), origins],
  );
  const found = rows as { n: number; hash: string }[];
  const orphans = found.flatMap(({ n }) => suspects[n - 1] ?? []);
  const texts = await keyTexts(layout, orphans, query);
  const { schema, name } = layout.target;
  return orphans.map((tuple, at) => ({
    table: { schema, name },
    key: texts[at] ?? [],
    origin: originOfTuple(layout, tuple),
    waitsFor: BigInt(found[at]?.hash ?? 0),
    ...because('orphan'),
  }));
}

/** The tuples that refer to a row which is not here, whatever became of them later: each value is asked for once. */
async function withoutReferred(
  key: ForeignKey,
  layout: Layout,
  { tuples, judging, columns }: Rows & { readonly columns: readonly MappedColumn[] },
): Promise<readonly Tuple[]> {
  const byValue = Map.groupBy(
    tuples.filter((tuple) =>
      columns.every(({ index }) => !['null', 'unchanged'].includes(tuple.kind(index))),
    ),
    (tuple) => rowKeyOf(columns.map(({ index }) => tuple.value(index))),
  );
  const one = [...byValue.values()].flatMap(([first]) => first ?? []);
  const [first] = one;
  if (!first) {
    return [];
  }
  const values = params(columns, formOf(layout, first));
  const equal = key.referred.map((name, at) => `r.${ident(name)} = ${valueOf(values, at)}`);
  const { rows } = await judging.query(
    `select s.n::int as n from ${source(values, 'counted')}
     where not exists (select from ${qualified(key.refers)} r where ${equal.join(' and ')}${present(key.refers)})`,
    bind(values, one, layout.table),
  );
  const missing = new Set((rows as { n: number }[]).map(({ n }) => one[n - 1]));
  return [...byValue.values()].filter(([some]) => missing.has(some)).flat();
}

function valueOf(values: readonly Param[], at: number): string {
  const value = values[at];
  return value?.form === 'text' ? `s.c${at + 1}::${value.column.type}` : `s.c${at + 1}`;
}

/** What is waited for, as a number: the same from both ends of the foreign key. */
function hash({ refers }: ForeignKey, alias: string, columns: readonly string[]): string {
  const texts = columns.map((name) => `${alias}.${ident(name)}::text`);
  return `hashtextextended(row('${nameOf(refers).replaceAll("'", "''")}', ${texts.join(', ')})::text, 0)`;
}
