/** Constraints of the replicated tables that apply, which works as replica, does not enforce or can not satisfy. */
import type pg from 'pg';
import type { Intent } from './intent.ts';

export interface ForeignKeyFacts {
  readonly name: string;
  /** `schema.name` of both ends. */
  readonly from: string;
  readonly to: string;
  readonly columns: readonly string[];
  /** A referenced column takes its values from a sequence. */
  readonly serial: boolean;
  /** a no action, r restrict, c cascade, n set null, d set default. */
  readonly onDelete: string;
}

export interface ConstraintFacts {
  readonly foreignKeys: readonly ForeignKeyFacts[];
  /** Unique and exclusion constraints that PostgreSQL checks late, as `schema.table constraint`. */
  readonly deferrable: readonly { readonly table: string; readonly name: string }[];
}

export async function readConstraints(
  client: pg.ClientBase,
  intent: Intent,
): Promise<ConstraintFacts> {
  const parameters = [
    intent.tables.map((one) => one.table.schema),
    intent.tables.map((one) => one.table.name),
  ];
  const foreignKeys = await client.query<ForeignKeyFacts>(foreignKeySql, parameters);
  const deferrable = await client.query<{ table: string; name: string }>(
    `${wanted}
    select w.schema || '.' || w.name as "table", o.conname::text as name
    from wanted w
    join pg_catalog.pg_constraint o on o.conrelid = w.oid
    where o.contype in ('u', 'x', 'p') and o.condeferrable
    order by 1, 2`,
    parameters,
  );
  return { foreignKeys: foreignKeys.rows, deferrable: deferrable.rows };
}

const wanted = `
  with wanted as (
    select w.schema, w.name, c.oid
    from unnest($1::text[], $2::text[]) w (schema, name)
    join pg_catalog.pg_namespace n on n.nspname = w.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
  )`;

const foreignKeySql = `${wanted}
  select
    o.conname::text as name,
    fn.nspname || '.' || fc.relname as "from",
    tn.nspname || '.' || tc.relname as "to",
    array(
      select a.attname::text
      from pg_catalog.pg_attribute a
      where a.attrelid = o.conrelid and a.attnum = any(o.conkey)
      order by a.attnum
    ) as columns,
    exists (
      select
      from pg_catalog.pg_attribute a
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = o.confrelid and a.attnum = any(o.confkey)
        and (a.attidentity <> '' or pg_catalog.pg_get_expr(d.adbin, d.adrelid) like 'nextval(%')
    ) as serial,
    o.confdeltype::text as "onDelete"
  from pg_catalog.pg_constraint o
  join pg_catalog.pg_class fc on fc.oid = o.conrelid
  join pg_catalog.pg_namespace fn on fn.oid = fc.relnamespace
  join pg_catalog.pg_class tc on tc.oid = o.confrelid
  join pg_catalog.pg_namespace tn on tn.oid = tc.relnamespace
  where o.contype = 'f' and o.conparentid = 0
    and (o.conrelid in (select w.oid from wanted w) or o.confrelid in (select w.oid from wanted w))
  order by 2, 1`;
