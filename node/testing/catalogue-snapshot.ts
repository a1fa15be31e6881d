/** Everything a database's catalogue says of its user objects, as comparable lines; rights left implicit are spelt out. */
import type { TestDatabase } from './database.ts';

export async function catalogueSnapshot(database: TestDatabase): Promise<readonly string[]> {
  const { rows } = await database.query(sql);
  return (rows as { line: string }[]).map((row) => row.line);
}

const users = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;

const sql = `
  select 'schema ' || n.nspname || ' ' || (
    select string_agg(a::text, ',' order by a::text) from unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
  ) as line
  from pg_namespace n where ${users} and n.nspname not like 'pg\\_%'
  union all
  select concat_ws(' ', 'relation', n.nspname, c.relname, c.relkind, c.relreplident, c.reloptions, (
    select string_agg(a::text, ',' order by a::text)
    from unnest(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
  ))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${users}
  union all
  select concat_ws(' ', 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where ${users} and a.attnum > 0 and not a.attisdropped
  union all
  select concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), i.indisreplident, i.indisvalid)
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where ${users}
  union all
  select concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid), g.tgenabled)
  from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
  where ${users} and not g.tgisinternal
  union all
  select concat_ws(' ', 'constraint', n.nspname, o.conname, pg_get_constraintdef(o.oid))
  from pg_constraint o join pg_namespace n on n.oid = o.connamespace where ${users} and o.contype <> 'n'
  union all
  select concat_ws(' ', 'function', p.oid::regprocedure) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${users}
  union all
  select concat_ws(' ', 'publication', p.pubname) from pg_publication p
  union all
  select concat_ws(' ', 'slot', s.slot_name) from pg_replication_slots s where s.database = current_database()
  order by 1`;
