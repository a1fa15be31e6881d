/**
 * Rows of a table at the provider and at the two subscribers, as texts: every column, equal settings, sorted. What is
 * equal by `=` but not by its text (1.0 and 1.00, -0, the layout of json) is a difference.
 */
import pg from 'pg';
import { clientConfig } from '../../database/connect.ts';
import { ident, qualified } from '../../database/ident.ts';
import type { TestDatabase } from '../database.ts';
import type { TopicTable } from './topic.ts';

/** Longer rows are compared by hash, and shown by their beginning. */
const shownLength = 1500;

export interface Sides {
  readonly provider: pg.Pool;
  readonly copy: pg.Pool;
  readonly native: pg.Pool;
}

export interface Compared {
  readonly rows: number;
  /** Between the copy and the provider's rows behind the filter. */
  readonly withProvider: readonly string[];
  /** Between the copy and the native one. */
  readonly withNative: readonly string[];
}

/** A pool under the output settings of every connection of ours, and no search path. */
export function comparing(database: TestDatabase): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig({
      url: database.url(),
      applicationName: 'oracle',
      settings: { search_path: 'pg_catalog' },
    }),
    max: 2,
  });
  pool.on('error', () => {});
  return pool;
}

export async function compareTable(
  sides: Sides,
  schema: string,
  table: TopicTable,
): Promise<Compared> {
  const name = { schema, name: table.name };
  const [there, here] = await Promise.all([
    columnsOf(sides.provider, name),
    columnsOf(sides.native, name),
  ]);
  const common = here.filter((column) => there.includes(column) && travels(column, table));
  const [provider, copy, whole, native] = await Promise.all([
    rowsOf(sides.provider, name, { columns: common, where: table.approved ?? 'true' }),
    rowsOf(sides.copy, name, { columns: common, where: `t.tributary_origin = 'district_a'` }),
    rowsOf(sides.copy, name, { columns: here, where: 'true' }),
    rowsOf(sides.native, name, { columns: here, where: 'true' }),
  ]);
  return {
    rows: provider.length,
    withProvider: differences(copy, provider),
    withNative: differences(whole, native),
  };
}

/** Rows of a query as texts, in its order. */
export async function textsOf(pool: pg.Pool, sql: string): Promise<readonly string[]> {
  const { rows } = await pool.query(`select q::text as line from (${sql}) q`);
  return (rows as { line: string }[]).map(({ line }) => line);
}

/** Lines of one side only: `+` ours alone, `-` the oracle's alone. */
export function differences(ours: readonly string[], oracle: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of oracle) {
    left.set(line, (left.get(line) ?? 0) + 1);
  }
  const found: string[] = [];
  for (const line of ours) {
    const count = left.get(line) ?? 0;
    if (count === 0) {
      found.push(`+ ${line}`);
    } else {
      left.set(line, count - 1);
    }
  }
  for (const [line, count] of left) {
    for (let missing = 0; missing < count; missing += 1) {
      found.push(`- ${line}`);
    }
  }
  return found;
}

/** Columns that are listed, or all; the key and the filter's always travel. */
function travels(column: string, table: TopicTable): boolean {
  return table.columns === undefined || table.columns.includes(column);
}

interface Name {
  readonly schema: string;
  readonly name: string;
}

async function columnsOf(pool: pg.Pool, { schema, name }: Name): Promise<readonly string[]> {
  const { rows } = await pool.query(
    `select a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [schema, name],
  );
  return (rows as { name: string }[]).map((row) => row.name);
}

async function rowsOf(
  pool: pg.Pool,
  { schema, name }: Name,
  { columns, where }: { readonly columns: readonly string[]; readonly where: string },
): Promise<readonly string[]> {
  const list = columns.map((column) => `t.${ident(column)}`).join(', ');
  const { rows } = await pool.query(
    `select case when length(line) > ${shownLength} then md5(line) || ' ' || left(line, 200) else line end as line
     from (select row(${list})::text as line from ${qualified({ schema, name })} t where ${where}) r
     order by 1`,
  );
  return (rows as { line: string }[]).map(({ line }) => line);
}
