/** The statements that bring a row of a table back to the child it came from. */
import type pg from 'pg';
import { flagsOf } from '../apply/layouts.ts';
import type { NodeConfig, ReplicatedTable } from '../config/model.ts';
import { columnsLeaving } from '../config/tree.ts';
import { ident, qualified } from '../database/ident.ts';
import type { Query } from '../database/query.ts';

export interface ReturnSql {
  /** $1: the key as a JSON array; gives the origin and the values as texts. */
  readonly select: string;
  /** Parameters: the values. */
  readonly upsert: string;
}

const columnList = `select a.attname as name, pg_catalog.format_type(a.atttypid, -1) as type
  from pg_catalog.pg_attribute a
  where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  order by a.attnum`;

/**
 * Of the columns of both sides those that leave the child and are whole here: what it keeps back, what each node keeps for
 * itself and what was left out here so far stands at the child alone. Null: the key is not among them.
 */
export async function returnSql(
  query: Query,
  client: pg.Client,
  { table, child }: { readonly table: ReplicatedTable; readonly child: NodeConfig },
): Promise<ReturnSql | null> {
  const name = qualified(table);
  const here = (await query(columnList, [name])).rows as { name: string; type: string }[];
  const { rows: there } = await client.query<{ name: string; type: string }>(columnList, [name]);
  const { rows: partial } = await query(
    `select p.column_name as name from tributary.partial p
     where p.provider = $1 and p.schema_name = $2 and p.table_name = $3`,
    [child.name, table.schema, table.name],
  );
  const leaving = columnsLeaving(table, child.level);
  const { soft, active } = flagsOf(table);
  const kept = new Set([
    ...(partial as { name: string }[]).map((column) => column.name),
    ...(table.origin === null ? ['tributary_origin'] : []),
    ...(soft === null ? [] : [soft]),
    ...active,
  ]);
  const columns = there.filter(
    (column) =>
      !kept.has(column.name) &&
      (leaving?.includes(column.name) ?? true) &&
      here.some((each) => each.name === column.name),
  );
  const key = table.key ?? (await primaryKey(query, name));
  if (!key.every((one) => columns.some((column) => column.name === one))) {
    return null;
  }
  return {
    select: selectOf({ table, columns: here, sent: columns, key }),
    upsert: upsertOf(name, columns, key),
  };
}

async function primaryKey(query: Query, name: string): Promise<readonly string[]> {
  const { rows } = await query(
    `select a.attname as name from pg_catalog.pg_index i
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = pg_catalog.to_regclass($1) and i.indisprimary`,
    [name],
  );
  return (rows as { name: string }[]).map((row) => row.name);
}

interface Selected {
  readonly table: ReplicatedTable;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly sent: readonly { readonly name: string }[];
  readonly key: readonly string[];
}

/** What an output function says: a cast to text is another thing for boolean, character(n) or inet. */
function selectOf({ table, columns, sent, key }: Selected): string {
  const values = sent.map(
    ({ name }) =>
      `case when t.${ident(name)} is distinct from null then pg_catalog.format('%s', t.${ident(name)}) end`,
  );
  const same = key.map((name, n) => {
    const type = columns.find((column) => column.name === name)?.type ?? 'text';
    return `t.${ident(name)} = ($1::jsonb ->> ${n})::${type}`;
  });
  const origin = table.origin ?? 'tributary_origin';
  return `select t.${ident(origin)}::text as origin, array[${values.join(', ')}] as values
    from ${qualified(table)} t where ${same.join(' and ')}`;
}

function upsertOf(
  name: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  key: readonly string[],
): string {
  const names = columns.map((column) => ident(column.name));
  const values = columns.map(({ type }, n) => `$${n + 1}::text::${type}`);
  const changed = columns
    .filter((column) => !key.includes(column.name))
    .map((column) => `${ident(column.name)} = excluded.${ident(column.name)}`);
  const then = changed.length === 0 ? 'do nothing' : `do update set ${changed.join(', ')}`;
  return `insert into ${name} (${names.join(', ')}) overriding system value values (${values.join(', ')})
    on conflict (${key.map(ident).join(', ')}) ${then}`;
}
