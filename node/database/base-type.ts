/**
 * What a column's values are written as: the type below its domains, of an array that of its elements, and the modifier
 * that holds for it. By name, as types of one's own have other oids elsewhere.
 */
export interface BaseType {
  /** As in pg_type.typname, with `.` before it where the type is not built in and `[]` behind it for an array. */
  readonly name: string;
  /** As in pg_attribute.atttypmod, or pg_type.typtypmod of the domain that says it; -1: none. */
  readonly modifier: number;
}

/**
 * SQL for it as `{name, modifier}` of a row `a` of pg_attribute. A type of one's own is known by its name alone: an extension
 * may live in another schema.
 */
export const baseTypeSql = `(
  with recursive below as (
    select t.oid, t.typname, t.typtype, t.typelem, t.typbasetype, t.typtypmod, a.atttypmod as modifier, '' as suffix, 0 as depth
    from pg_catalog.pg_type t
    where t.oid = a.atttypid
    union all
    select
      t.oid, t.typname, t.typtype, t.typelem, t.typbasetype, t.typtypmod,
      case when w.typtype = 'd' then greatest(w.modifier, w.typtypmod) else w.modifier end,
      case when w.typtype = 'd' then w.suffix else w.suffix || '[]' end,
      w.depth + 1
    from below w
    join pg_catalog.pg_type t
      on case when w.typtype = 'd' then t.oid = w.typbasetype else t.oid = w.typelem and t.typarray = w.oid end
  )
  select json_build_object(
    'name', case when w.oid >= 16384 then '.' else '' end || w.typname || w.suffix,
    'modifier', w.modifier
  )
  from below w
  order by w.depth desc
  limit 1
)`;
