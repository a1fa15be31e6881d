/**
 * Fingerprints of rows, computed by PostgreSQL: the SHA-256 of every column's text form. Shares no code with the nodes,
 * so that what it finds equal is not equal by the same mistake.
 */
import pg from 'pg';
import type { ComparedTable } from './table.ts';

/** The columns of one table at one place, in alphabetical order, the origin column apart. */
export type Columns = readonly string[];

export interface Rows {
  readonly columns: Columns;
  /** `origin/id` -> fingerprint of all columns. */
  readonly prints: ReadonlyMap<string, string>;
}

const originColumn = 'tributary_origin';

/** A connection of the superuser under which equal values have equal text. */
export async function openComparison(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'poc verdict',
    options:
      '-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A district's approved rows: their origin is the district, whatever its table says. */
export async function readDistrict(
  client: pg.Client,
  table: ComparedTable,
  district: string,
): Promise<Rows> {
  const columns = (await columnsOf(client, table)).filter((column) => column !== originColumn);
  const where = table.approved === null ? '' : `where ${table.approved}`;
  return await read(client, {
    columns,
    sql: `select ${pg.escapeLiteral(district)} as origin, ${printOf(columns)} from ${nameOf(table)} ${where}`,
  });
}

/** Every row of a region or the nation, approved or not, with the origin it bears there. */
export async function readAbove(client: pg.Client, table: ComparedTable): Promise<Rows> {
  const all = await columnsOf(client, table);
  const columns = all.filter((column) => column !== originColumn);
  const origin = all.includes(originColumn) ? originColumn : "'?'";
  return await read(client, {
    columns,
    sql: `select ${origin} as origin, ${printOf(columns)} from ${nameOf(table)}`,
  });
}

async function read(
  client: pg.Client,
  { columns, sql }: { columns: Columns; sql: string },
): Promise<Rows> {
  const { rows } = await client.query<{ origin: string; id: string; print: string }>(sql);
  return {
    columns,
    prints: new Map(rows.map((row) => [`${row.origin}/${row.id}`, row.print] as const)),
  };
}

/** `row(...)::text` quotes every value and tells null from empty text, so different rows have different texts. */
function printOf(columns: Columns): string {
  const values = columns.map((column) => `${pg.escapeIdentifier(column)}::text`).join(', ');
  return `id::text as id, encode(sha256(convert_to(row(${values})::text, 'UTF8')), 'hex') as print`;
}

async function columnsOf(client: pg.Client, table: ComparedTable): Promise<Columns> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name
     from pg_catalog.pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped
     order by attname collate "C"`,
    [nameOf(table)],
  );
  return rows.map((row) => row.name);
}

export function nameOf(table: ComparedTable): string {
  return `public.${pg.escapeIdentifier(table.name)}`;
}
