/** A table of this node's own database as its catalogue describes it: what statements are made from. */
import type { ReplicatedTable } from '../config/model.ts';
import type { Query } from '../database/query.ts';

export interface Target {
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  readonly columns: ReadonlyMap<string, TargetColumn>;
  /** Columns of the key, in their order; empty: the table has none. */
  readonly key: readonly string[];
  /** Unique indexes over plain columns that are enforced, the key's included. */
  readonly uniques: readonly UniqueIndex[];
  /** A unique, immediate, unconditional index over exactly the key's columns exists: `on conflict` may name them. */
  readonly keyIsUnique: boolean;
  /** Column that names the node a row was entered at; null: the table has none. */
  readonly origin: string | null;
  /** Row triggers that fire under apply and are not ours: they must see every change, in order. */
  readonly stepwise: boolean;
  /** Has rules: a statement of it can not stand in a `with`. */
  readonly ruled: boolean;
  /** Constraints PostgreSQL does not enforce under replica role. */
  readonly deferrable: readonly DeferrableConstraint[];
}

export interface TargetColumn {
  readonly name: string;
  /**
   * format_type without modifier, for casts that do not cut; of a domain the type it stands on: an explicit cast to a
   * domain over varchar(3) cuts, the assignment from varchar is an error.
   */
  readonly type: string;
  readonly typeOid: number;
  /** Of the base type, where the type is a domain, or one over another. */
  readonly baseTypeOid: number;
  /** atttypmod, of a domain that of what it stands on; -1: none. */
  readonly modifier: number;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  /** As in pg_attribute.attidentity. */
  readonly identity: '' | 'a' | 'd';
}

export interface UniqueIndex {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface DeferrableConstraint {
  readonly name: string;
  readonly columns: readonly string[];
  /** Qualified operators, one per column, that must not all be true between two rows. */
  readonly operators: readonly string[];
}

/** The column `prepare` adds above the leaves. */
export const originColumn = 'tributary_origin';

/** Null when no such table exists here. @throws the database's error. */
export async function loadTarget(query: Query, table: ReplicatedTable): Promise<Target | null> {
  const { rows } = await query(
    `select c.oid::int8 as oid, c.relkind::text as relkind, c.relhasrules as ruled, a.attname::text as name,
       format_type(b.oid, -1) as type, a.atttypid::int8 as type_oid, b.oid::int8 as base_oid,
       greatest(a.atttypmod, b.modifier) as modifier,
       a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default,
       a.attgenerated <> '' as generated, a.attidentity::text as identity
     from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     cross join lateral (
       with recursive below as (
         select t.oid, t.typtype, t.typbasetype, t.typtypmod, 0 as depth
         from pg_catalog.pg_type t where t.oid = a.atttypid
         union all
         select t.oid, t.typtype, t.typbasetype, t.typtypmod, w.depth + 1
         from below w join pg_catalog.pg_type t on t.oid = w.typbasetype
         where w.typtype = 'd'
       )
       select w.oid, (select max(m.typtypmod) from below m) as modifier
       from below w order by w.depth desc limit 1
     ) b
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
     order by a.attnum`,
    [table.schema, table.name],
  );
  const columnRows = rows as ColumnRow[];
  const [first] = columnRows;
  if (!first) {
    return null;
  }
  const facts = await loadFacts(query, first.oid);
  const key = table.key ?? facts.primary_key;
  const columns = new Map(columnRows.map((row) => [row.name, toColumn(row)]));
  return {
    schema: table.schema,
    name: table.name,
    partitioned: first.relkind === 'p',
    columns,
    key,
    keyIsUnique: facts.unique_keys.some(({ columns: unique }) => sameSet(unique, key)),
    uniques: facts.unique_keys,
    origin: table.origin ?? (columns.has(originColumn) ? originColumn : null),
    stepwise: facts.stepwise,
    ruled: first.ruled,
    deferrable: facts.deferrable,
  };
}

interface ColumnRow {
  readonly oid: string;
  readonly relkind: string;
  readonly ruled: boolean;
  readonly name: string;
  readonly type: string;
  readonly type_oid: string;
  readonly base_oid: string;
  readonly modifier: number;
  readonly not_null: boolean;
  readonly has_default: boolean;
  readonly generated: boolean;
  readonly identity: '' | 'a' | 'd';
}

interface Facts {
  readonly primary_key: readonly string[];
  readonly unique_keys: readonly UniqueIndex[];
  readonly stepwise: boolean;
  readonly deferrable: readonly DeferrableConstraint[];
}

async function loadFacts(query: Query, oid: string): Promise<Facts> {
  const { rows } = await query(
    `with keys as (
       select i.indisprimary, x.relname as name, (
         select jsonb_agg(a.attname order by k.position)
         from unnest(i.indkey::int2[]) with ordinality k(attnum, position)
         join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
         where k.position <= i.indnkeyatts
       ) as columns
       from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
       where i.indrelid = $1::oid and i.indisunique and i.indimmediate and i.indisvalid
         and i.indpred is null and i.indexprs is null
     ), leaves as (
       select $1::oid as relid union select p.relid from pg_catalog.pg_partition_tree($1::oid) p
     )
     select
       coalesce((select k.columns from keys k where k.indisprimary), '[]') as primary_key,
       coalesce((select jsonb_agg(jsonb_build_object('name', k.name, 'columns', k.columns) order by k.name) from keys k), '[]') as unique_keys,
       exists (
         select from pg_catalog.pg_trigger t join leaves l on l.relid = t.tgrelid
         where t.tgenabled in ('R', 'A') and t.tgtype & 1 = 1 and not t.tgisinternal
           and t.tgname not like 'zzz\\_tributary\\_%'
       ) as stepwise,
       coalesce((
         select jsonb_agg(jsonb_build_object(
           'name', c.conname,
           'columns', (
             select jsonb_agg(a.attname order by k.position)
             from unnest(c.conkey) with ordinality k(attnum, position)
             join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
           ),
           'operators', (
             select jsonb_agg(
               case when o.oid is null then '='
               else format('operator(%I.%s)', n.nspname, o.oprname) end order by k.position)
             from unnest(c.conkey) with ordinality k(attnum, position)
             left join pg_catalog.pg_operator o on o.oid = c.conexclop[k.position]
             left join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
           )
         ))
         from pg_catalog.pg_constraint c join pg_catalog.pg_index i on i.indexrelid = c.conindid
         where c.conrelid = $1::oid and c.contype in ('p', 'u', 'x') and c.condeferrable
           and i.indexprs is null and i.indpred is null
       ), '[]') as deferrable`,
    [oid],
  );
  const [facts] = rows as Facts[];
  if (!facts) {
    throw new RangeError('the catalogue gave no row');
  }
  return facts;
}

function toColumn(row: ColumnRow): TargetColumn {
  return {
    name: row.name,
    type: row.type,
    typeOid: Number(row.type_oid),
    baseTypeOid: Number(row.base_oid),
    modifier: row.modifier,
    notNull: row.not_null,
    hasDefault: row.has_default,
    generated: row.generated,
    identity: row.identity,
  };
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
