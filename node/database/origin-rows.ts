/** Rows here by the node they were entered at. */
import type { ReplicatedTable } from '../config/model.ts';
import { ident, qualified } from './ident.ts';
import type { Query } from './query.ts';

/** A table of the set that says of each of its rows where it was entered. */
export interface OriginTable {
  readonly schema: string;
  readonly name: string;
  /** Names the origin. */
  readonly column: string;
}

export interface RowCount extends OriginTable {
  readonly rows: number;
}

/** Those of the tables that exist here and have their origin column: at a leaf rows are its own, and none says so. */
export async function originTables(
  query: Query,
  tables: readonly ReplicatedTable[],
): Promise<readonly OriginTable[]> {
  const wanted = tables.map(({ schema, name, origin }) => ({
    schema,
    name,
    column: origin ?? 'tributary_origin',
  }));
  const { rows } = await query(
    `select w.n::integer as n
     from unnest($1::text[], $2::text[], $3::text[]) with ordinality w (schema_name, name, column_name, n)
     join pg_catalog.pg_namespace s on s.nspname = w.schema_name
     join pg_catalog.pg_class c on c.relnamespace = s.oid and c.relname = w.name
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = w.column_name
     where a.attnum > 0 and not a.attisdropped
     order by w.n`,
    [
      wanted.map(({ schema }) => schema),
      wanted.map(({ name }) => name),
      wanted.map(({ column }) => column),
    ],
  );
  return (rows as readonly { readonly n: number }[]).flatMap(({ n }) => wanted[n - 1] ?? []);
}

/** How many rows of the origin stand in each table; tables that hold none are left out. */
export async function countRows(
  query: Query,
  tables: readonly OriginTable[],
  origin: string,
): Promise<readonly RowCount[]> {
  const counted: RowCount[] = [];
  for (const table of tables) {
    const { rows } = await query(
      `select count(*)::float8 as count from ${qualified(table)} t where t.${ident(table.column)}::text = $1`,
      [origin],
    );
    const [found] = rows as readonly { readonly count: number }[];
    counted.push({ ...table, rows: found?.count ?? 0 });
  }
  return counted.filter(({ rows }) => rows > 0);
}

/**
 * Names that rows here bear and that are not among `names`, each with a table that holds one. Asked are the names that
 * were below this node by the file before, or were heard of: a table is searched only for what is struck.
 */
export async function struckNames(
  query: Query,
  tables: readonly ReplicatedTable[],
  names: readonly string[],
): Promise<readonly { readonly name: string; readonly table: string }[]> {
  const { rows } = await query(
    `select o.name
     from (select r.origin from tributary.route r union select h.node from tributary.heartbeat h) o (name)
     where o.name <> all ($1::text[])
     order by o.name`,
    [names],
  );
  const struck: { name: string; table: string }[] = [];
  for (const { name } of rows as readonly { readonly name: string }[]) {
    const table = await tableWith(query, await originTables(query, tables), name);
    if (table) {
      struck.push({ name, table: `${table.schema}.${table.name}` });
    }
  }
  return struck;
}

async function tableWith(
  query: Query,
  tables: readonly OriginTable[],
  origin: string,
): Promise<OriginTable | null> {
  for (const table of tables) {
    const { rows } = await query(
      `select from ${qualified(table)} t where t.${ident(table.column)}::text = $1 limit 1`,
      [origin],
    );
    if (rows.length > 0) {
      return table;
    }
  }
  return null;
}
