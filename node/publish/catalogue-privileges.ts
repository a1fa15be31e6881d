/** What the two plain roles may do with the relations, sequences, functions and schemas they need. */
import type pg from 'pg';
import type { Intent } from './intent.ts';

/** By `role kind object`, such as `writer table public.case_report`: the privileges held, lower case. */
export type Privileges = ReadonlyMap<string, ReadonlySet<string>>;

interface Row {
  readonly role: string;
  readonly kind: string;
  readonly object: string;
  readonly held: readonly string[];
}

export async function readPrivileges(client: pg.ClientBase, intent: Intent): Promise<Privileges> {
  const { reader, writer } = intent.node.roles;
  const { rows } = await client.query<Row>(sql, [
    intent.tables.map((one) => one.table.schema),
    intent.tables.map((one) => one.table.name),
    writer,
    reader,
  ]);
  return new Map(rows.map((row) => [`${row.role} ${row.kind} ${row.object}`, new Set(row.held)]));
}

const sql = `
  with role as (
    select r.oid, case r.rolname when $3 then 'writer' else 'reader' end as name
    from pg_roles r
    where r.rolname in ($3, $4)
  ),
  relation as (
    select c.oid, n.oid as schema_oid, n.nspname, c.relname, c.relkind
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'tributary' and c.relkind in ('r', 'p', 'v')
    union
    select c.oid, n.oid, n.nspname, c.relname, c.relkind
    from unnest($1::text[], $2::text[]) w (schema, name)
    join pg_namespace n on n.nspname = w.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
  ),
  sequence as (
    select distinct s.oid, s.relname, n.nspname
    from relation r
    join pg_attrdef d on d.adrelid = r.oid
    join pg_depend dep on dep.classid = 'pg_attrdef'::regclass and dep.objid = d.oid and dep.refclassid = 'pg_class'::regclass
    join pg_class s on s.oid = dep.refobjid and s.relkind = 'S'
    join pg_namespace n on n.oid = s.relnamespace
    union
    select s.oid, s.relname, n.nspname
    from pg_class s
    join pg_namespace n on n.oid = s.relnamespace
    where n.nspname = 'tributary' and s.relkind = 'S'
  ),
  type_schema as (
    select n.oid, n.nspname
    from relation r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    join pg_namespace n on n.oid = t.typnamespace
    where n.nspname <> 'pg_catalog'
    union
    select r.schema_oid, r.nspname from relation r
    union
    select n.oid, n.nspname from pg_namespace n where n.nspname = 'tributary'
  )
  select
    role.name as role,
    'table' as kind,
    r.nspname || '.' || r.relname as object,
    array(
      select p.name
      from unnest(array['select', 'insert', 'update', 'delete']) p (name)
      where has_table_privilege(role.oid, r.oid, p.name)
    ) as held
  from role, relation r
  union all
  select role.name, 'sequence', s.nspname || '.' || s.relname,
    case when has_sequence_privilege(role.oid, s.oid, 'usage') then array['usage'] else array[]::text[] end
  from role, sequence s
  union all
  select role.name, 'function', n.nspname || '.' || p.proname,
    case when has_function_privilege(role.oid, p.oid, 'execute') then array['execute'] else array[]::text[] end
  from role, pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'tributary' and p.prosecdef and p.prorettype <> 'trigger'::regtype
  union all
  select role.name, 'schema', n.nspname::text,
    case when has_schema_privilege(role.oid, n.oid, 'usage') then array['usage'] else array[]::text[] end
  from role, type_schema n`;
