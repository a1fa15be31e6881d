/** The tables of the replication set as they stand: columns, identity, indexes, triggers, leaf partitions. */
import type pg from 'pg';
import { literal } from '../database/ident.ts';
import type { Intent } from './intent.ts';

/** One relation that holds rows: a plain table or a leaf partition. */
export interface LeafFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** r: table, f: foreign table. */
  readonly kind: string;
  readonly owner: string;
  /** Whether the connecting role may alter it. */
  readonly mine: boolean;
  readonly identity: 'd' | 'n' | 'f' | 'i';
  readonly indexes: readonly IndexFacts[];
  readonly triggers: readonly TriggerFacts[];
}

export interface TableFacts extends LeafFacts {
  /** r: table, p: partitioned. */
  readonly kind: string;
  /** p: permanent, u: unlogged. */
  readonly persistence: string;
  readonly rowSecurity: boolean;
  readonly columns: readonly ColumnFacts[];
  /** The table itself, or the leaf partitions of a partitioned one. */
  readonly leaves: readonly LeafFacts[];
  readonly inherited: boolean;
}

export interface ColumnFacts {
  readonly name: string;
  readonly typeOid: number;
  /** Of a domain the type below it, else typeOid. */
  readonly baseTypeOid: number;
  /** With modifier, for messages. */
  readonly type: string;
  /** Without modifier, qualified, for casts. */
  readonly bareType: string;
  /** b, e (enum), d (domain), c, r, m, p as in pg_type. */
  readonly typeKind: string;
  readonly notNull: boolean;
  /** '': not generated, s: stored, v: virtual. */
  readonly generated: string;
  /** '': no identity column, a: always, d: by default. */
  readonly identity: string;
  /** The default as PostgreSQL tells it back; null: none. */
  readonly default: string | null;
  /** Whether PostgreSQL may store the value out of line. */
  readonly outOfLine: boolean;
  /** Whether a btree can hold it by default. */
  readonly comparable: boolean;
}

export interface IndexFacts {
  readonly name: string;
  /** Key columns in order; null in the place of an expression. */
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  readonly immediate: boolean;
  readonly valid: boolean;
  readonly partial: boolean;
  readonly primary: boolean;
  readonly replicaIdentity: boolean;
}

export interface TriggerFacts {
  readonly name: string;
  /** O: ordinary, A: always, R: replica, D: disabled. */
  readonly enabled: string;
  /** Definition and, of Tributary's own functions, the body. */
  readonly definition: string;
  readonly row: boolean;
  readonly internal: boolean;
}

const triggerDefinition = `
  pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text
  || case when fn.nspname = 'tributary' then f.prosrc || coalesce(array_to_string(f.proconfig, ','), '') else '' end`;

/** SQL expression of TriggerFacts.definition. */
export function triggerFound(relation: string, name: string): string {
  return `
  select ${triggerDefinition}
  from pg_trigger g
  join pg_proc f on f.oid = g.tgfoid
  join pg_namespace fn on fn.oid = f.pronamespace
  where g.tgrelid = ${literal(relation)}::regclass and g.tgname = ${literal(name)}`;
}

interface RelationRow extends Omit<TableFacts, 'leaves'> {
  readonly root: number;
}

export async function readTables(
  client: pg.ClientBase,
  intent: Intent,
): Promise<ReadonlyMap<string, TableFacts>> {
  const { rows } = await client.query<RelationRow>(sql, [
    intent.tables.map((one) => one.table.schema),
    intent.tables.map((one) => one.table.name),
  ]);
  const tables = new Map<string, TableFacts>();
  for (const { root, ...table } of rows) {
    if (root === table.oid) {
      const leaves =
        table.kind === 'p'
          ? rows.filter((row) => row.root === root && row.oid !== root && row.kind !== 'p')
          : [table];
      tables.set(`${table.schema}.${table.name}`, { ...table, leaves });
    }
  }
  return tables;
}

const sql = `
  with root as (
    select c.oid, c.relkind
    from unnest($1::text[], $2::text[]) w (schema, name)
    join pg_namespace n on n.nspname = w.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
  ),
  relation as (
    select r.oid as root, r.oid from root r
    union
    select r.oid, t.relid::oid from root r, pg_partition_tree(r.oid) t where r.relkind = 'p'
  )
  select
    r.root::int as root,
    c.oid::int as oid,
    n.nspname::text as schema,
    c.relname::text as name,
    c.relkind::text as kind,
    c.relreplident::text as identity,
    pg_get_userbyid(c.relowner)::text as owner,
    pg_has_role(c.relowner, 'usage') as mine,
    c.relpersistence::text as persistence,
    c.relrowsecurity as "rowSecurity",
    c.relkind = 'r' and exists (select from pg_inherits i where i.inhparent = c.oid) as inherited,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'typeOid', a.atttypid::int8,
        'baseTypeOid', coalesce(nullif(t.typbasetype, 0), t.oid)::int8,
        'type', format_type(a.atttypid, a.atttypmod),
        'bareType', format_type(a.atttypid, -1),
        'typeKind', t.typtype,
        'notNull', a.attnotnull,
        'generated', a.attgenerated,
        'identity', a.attidentity,
        'default', (
          select pg_get_expr(d.adbin, d.adrelid)
          from pg_attrdef d
          where d.adrelid = a.attrelid and d.adnum = a.attnum
        ),
        'outOfLine', a.attlen = -1 and a.attstorage in ('x', 'e', 'm'),
        'comparable', exists (
          select
          from pg_opclass o
          join pg_am m on m.oid = o.opcmethod
          where m.amname = 'btree' and o.opcdefault
            and (
              o.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
              or (t.oid = 'varchar'::regtype and o.opcintype = 'text'::regtype)
              or (t.typcategory = 'A' and o.opcintype = 'anyarray'::regtype)
              or (t.typtype = 'e' and o.opcintype = 'anyenum'::regtype)
            )
        )
      ) order by a.attnum)
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), '[]') as columns,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', ic.relname,
        'columns', (
          select jsonb_agg(a.attname order by k.position)
          from unnest(i.indkey::int2[]) with ordinality k (attnum, position)
          left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum <> 0
          where k.position <= i.indnkeyatts
        ),
        'unique', i.indisunique,
        'immediate', i.indimmediate,
        'valid', i.indisvalid and i.indisready and i.indislive,
        'partial', i.indpred is not null,
        'primary', i.indisprimary,
        'replicaIdentity', i.indisreplident
      ) order by ic.relname)
      from pg_index i
      join pg_class ic on ic.oid = i.indexrelid
      where i.indrelid = c.oid
    ), '[]') as indexes,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', g.tgname,
        'enabled', g.tgenabled,
        'definition', ${triggerDefinition},
        'row', (g.tgtype & 1) = 1,
        'internal', g.tgisinternal
      ) order by g.tgname)
      from pg_trigger g
      join pg_proc f on f.oid = g.tgfoid
      join pg_namespace fn on fn.oid = f.pronamespace
      where g.tgrelid = c.oid
    ), '[]') as triggers
  from relation r
  join pg_class c on c.oid = r.oid
  join pg_namespace n on n.oid = c.relnamespace
  order by r.root, n.nspname, c.relname`;
