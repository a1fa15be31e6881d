/**
 * The rows of tributary.blocked, tables a stream leaves alone, and of tributary.partial, columns it leaves out. Every
 * function runs one statement inside the transaction of its caller.
 */
import type { TableName } from './parked-key.ts';
import type { ParkQuery } from './parked-table.ts';
import type { SetAside, TableDrift } from './table-drift.ts';

/**
 * The stream leaves the table alone from now on, because too many of its keys are parked or, with a drift, because rows
 * of it are impossible here. It comes back whole, by reconcile.
 */
export async function block(
  query: ParkQuery,
  provider: string,
  { table, drift }: { readonly table: TableName; readonly drift: TableDrift | null },
): Promise<void> {
  await query(
    `insert into tributary.blocked (provider, schema_name, table_name, reason, cause, column_name, type_name, sqlstate)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (provider, schema_name, table_name) do update set
       reason = excluded.reason, cause = excluded.cause, column_name = excluded.column_name,
       type_name = excluded.type_name, sqlstate = excluded.sqlstate`,
    [
      provider,
      table.schema,
      table.name,
      drift ? 'drifted' : 'parked',
      drift?.cause ?? null,
      drift?.column ?? null,
      drift?.type ?? null,
      drift?.sqlstate ?? null,
    ],
  );
}

/** The stream takes the table's changes again. */
export async function unblock(query: ParkQuery, provider: string, table: TableName): Promise<void> {
  await query(
    `delete from tributary.blocked where provider = $1 and schema_name = $2 and table_name = $3`,
    [provider, table.schema, table.name],
  );
}

export async function blockedTables(
  query: ParkQuery,
  provider: string,
): Promise<readonly TableName[]> {
  const { rows } = await query(
    `select b.schema_name as schema, b.table_name as name from tributary.blocked b where b.provider = $1`,
    [provider],
  );
  return rows as TableName[];
}

export interface Blocked extends TableName {
  readonly provider: string;
  /** `schema.name` */
  readonly table: string;
  /** Null: too many of its keys are parked. */
  readonly drift: TableDrift | null;
}

/** Tables left alone, of all streams. */
export async function allBlocked(query: ParkQuery): Promise<readonly Blocked[]> {
  const { rows } = await query(
    `select b.provider, b.schema_name as schema, b.table_name as name, b.schema_name || '.' || b.table_name as "table",
       case when b.reason = 'drifted' then jsonb_build_object(
         'cause', b.cause, 'column', b.column_name, 'type', b.type_name, 'sqlstate', b.sqlstate
       ) end as drift
     from tributary.blocked b order by 1, 2, 3`,
  );
  return rows as Blocked[];
}

/** Columns of a table that do not exist here are left out of its rows; those known already stay as they are noted. */
export async function noteSetAside(
  query: ParkQuery,
  provider: string,
  { table, columns }: { readonly table: TableName; readonly columns: readonly SetAside[] },
): Promise<void> {
  await query(
    `insert into tributary.partial (provider, schema_name, table_name, column_name, type_name)
     select $1, $2, $3, c.name, case when c.oid < 16384 then format_type(c.oid, c.modifier) end
     from unnest($4::text[], $5::oid[], $6::int4[]) c (name, oid, modifier)
     on conflict do nothing`,
    [
      provider,
      table.schema,
      table.name,
      columns.map(({ name }) => name),
      columns.map(({ typeOid }) => typeOid),
      columns.map(({ typeModifier }) => typeModifier),
    ],
  );
}

export interface PartialTable extends TableName {
  readonly provider: string;
  /** `schema.name` */
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string | null }[];
  /** Since the first of them is left out. */
  readonly seconds: number;
}

/** Tables of all streams whose rows go in without some columns. */
export async function allPartial(query: ParkQuery): Promise<readonly PartialTable[]> {
  const { rows } = await query(
    `select p.provider, p.schema_name as schema, p.table_name as name, p.schema_name || '.' || p.table_name as "table",
       jsonb_agg(jsonb_build_object('name', p.column_name, 'type', p.type_name) order by p.column_name) as columns,
       extract(epoch from now() - min(p.at))::float8 as seconds
     from tributary.partial p group by p.provider, p.schema_name, p.table_name order by 1, 2, 3`,
  );
  return rows as PartialTable[];
}
