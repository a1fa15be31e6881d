/**
 * The SQL of sets: a few statements per table, whatever the number of rows. Each column travels as one array, unnested
 * into a row source `s`; a text array is cast to the column's type without modifier, so that an overlong value is an
 * error and is not cut. Pure; parameters are numbered in the order of the columns, then the origins.
 */
import { ident, literal, qualified } from '../database/ident.ts';
import type { Layout, MappedColumn } from './layout.ts';
import type { DeferrableConstraint, UniqueIndex } from './target.ts';

const regclassOid = 2205;

/** A column with the form its values have in this statement. */
export interface Param extends MappedColumn {
  readonly form: 'text' | 'binary';
}

/**
 * counted: each row the statement comes to is counted by tributary.row_at, which no failure takes back, so that the row
 * it failed at is known; an update then returns the places of the rows it changed.
 */
export type Counting = 'plain' | 'counted';

/** `delete`: parameters are the key's columns, then the origins of the subtree. */
export function deleteSql(
  layout: Layout,
  key: readonly Param[],
  counting: Counting = 'plain',
): string {
  const { soft } = layout.flags;
  const head =
    soft === null
      ? `delete from ${qualified(layout.target)} t using`
      : `update ${qualified(layout.target)} t set ${ident(soft)} = true from`;
  return `${head} ${source(key, counting)} where ${match(key)} and ${guard(layout, key.length + 1)}${also(counting)}`;
}

/** Which of these keys stand here (`n`, from 1), and under what origin. Parameters: the key's columns. */
export function standingSql(layout: Layout, key: readonly Param[]): string {
  return `select s.n::int as n, ${originText(layout, 't')} as origin from ${source(key, 'counted')} join ${qualified(layout.target)} t on ${match(key)}`;
}

/** The origins of the rows of these keys that are not of the subtree. Same parameters as `deleteSql`. */
export function foreignSql(layout: Layout, key: readonly Param[]): string {
  const column = originText(layout, 't');
  return `select ${column} as origin, count(*)::int as count from ${source(key)} join ${qualified(layout.target)} t on ${match(key)} where ${column} is null or ${column} <> all ($${key.length + 1}::text[]) group by 1`;
}

/**
 * Rows of these keys that stand here under one name get another. Parameters: the key's columns; the origins that are
 * sent, or the one that is stamped; the name they stand under.
 */
export function adoptSql(layout: Layout, key: readonly Param[], origin: Param | null): string {
  const { column } = layout.origin;
  const all = origin ? [...key, origin] : key;
  const next = key.length + 1;
  const name = origin ? cast(origin, key.length) : `$${next}::text::${column.type}`;
  return `update ${qualified(layout.target)} t set ${ident(column.name)} = ${name} from ${source(all)} where ${match(key)} and ${originText(layout, 't')} = $${next + 1}::text`;
}

/** The origin of each row of these keys. */
export function originSql(layout: Layout, key: readonly Param[]): string {
  return `select ${originText(layout, 't')} as origin from ${source(key)} join ${qualified(layout.target)} t on ${match(key)}`;
}

export interface UpdateColumns {
  /** The key the row has here. */
  readonly key: readonly Param[];
  /** What is stored, the key's columns only where it changes. */
  readonly values: readonly Param[];
}

/**
 * Parameters: the key's columns, the values' columns, the origins. SQL can not set an identity that is generated
 * always: a row in which it is another one is not touched, and is for `replaceSql`.
 */
export function updateSql(
  layout: Layout,
  { key, values }: UpdateColumns,
  counting: Counting = 'plain',
): string {
  const all = [...key, ...values];
  const set = values.filter((each) => each.column.identity !== 'a');
  const assignments =
    set.length > 0
      ? set.map((each) => `${ident(each.column.name)} = ${cast(each, all.indexOf(each))}`)
      : key.map((each) => `${ident(each.column.name)} = t.${ident(each.column.name)}`);
  if (layout.flags.soft !== null) {
    assignments.push(`${ident(layout.flags.soft)} = false`);
  }
  return `update ${qualified(layout.target)} t set ${assignments.join(', ')} from ${source(all, counting)} where ${match(key)}${sameIdentity(values, all)} and ${guard(layout, all.length + 1)}${also(counting)}${counting === 'counted' ? ' returning s.n::int as n' : ''}`;
}

/** Writes rows anew, what is not among the values as it stands here. Parameters: as `updateSql`. */
export function replaceSql(layout: Layout, { key, values }: UpdateColumns): string {
  const all = [...key, ...values];
  const table = qualified(layout.target);
  const stored = [...layout.target.columns.values()].filter((column) => !column.generated);
  const selected = stored.map((column) => {
    if (column.name === layout.flags.soft) {
      return 'false';
    }
    const value = values.find((each) => each.column.name === column.name);
    return value ? cast(value, all.indexOf(value)) : `t.${ident(column.name)}`;
  });
  const gone = `delete from ${table} t using ${source(key)} where ${match(key)} and ${guard(layout, all.length + 1)} returning t.*`;
  return `with gone as (${gone}) insert into ${table} (${stored.map(({ name }) => ident(name)).join(', ')}) overriding system value select ${selected.join(', ')} from ${source(all)} join gone t on ${match(key)}`;
}

/** Parameters: the columns, then the stamped origin if the layout has one. */
export function insertSql(
  layout: Layout,
  values: readonly Param[],
  counting: Counting = 'plain',
): string {
  const columns = values.map((each) => ident(each.column.name));
  const selected = values.map((each, index) => cast(each, index));
  if (layout.origin.kind === 'stamped') {
    columns.push(ident(layout.origin.column.name));
    selected.push(`$${values.length + 1}::text::${layout.origin.column.type}`);
  }
  const { soft, active } = layout.flags;
  columns.push(...[...(soft === null ? [] : [soft]), ...active].map(ident));
  selected.push(...(soft === null ? [] : ['false']), ...active.map(() => 'true'));
  const overriding = values.some((each) => each.column.identity === 'a')
    ? ' overriding system value'
    : '';
  return `insert into ${qualified(layout.target)} as t (${columns.join(', ')})${overriding} select ${selected.join(', ')} from ${source(values, counting)}${counting === 'counted' ? ` where ${counted}` : ''}`;
}

/**
 * The set, which fails where it is not of so many rows: a subquery of two (21000), which no row is to blame for. Parameter
 * behind those of the set: their number. PostgreSQL refuses it where the table has a rule.
 */
export function exactlySql(set: string, values: number): string {
  return `with done as (${set} returning 1), counted as (select count(*) as n from done) select (select 1 from generate_series(1, case when n = $${values + 1}::int8 then 1 else 2 end)) as fits from counted`;
}

/** The same rows by COPY; the stamped origin is the last value of each. A key that is here already is an error. */
export function copySql(layout: Layout, values: readonly MappedColumn[]): string {
  const columns = values.map((each) => ident(each.column.name));
  if (layout.origin.kind === 'stamped') {
    columns.push(ident(layout.origin.column.name));
  }
  return `copy ${qualified(layout.target)} (${columns.join(', ')}) from stdin (format binary)`;
}

/**
 * Insert or update by key; one row: how many were written, how many of the keys stood here before. Parameters: as
 * `insertSql`, then the origins. The target's key must be unique.
 */
export function upsertSql(
  layout: Layout,
  values: readonly Param[],
  counting: Counting = 'plain',
): string {
  const key = layout.key.flatMap((each) =>
    values.filter((value) => value.column.name === each.column.name),
  );
  const set = values.filter((each) => !key.includes(each) && each.column.identity !== 'a');
  const assigned = set.length > 0 ? set : key;
  const assignments = assigned.map(
    (each) => `${ident(each.column.name)} = excluded.${ident(each.column.name)}`,
  );
  const { soft } = layout.flags;
  if (soft !== null) {
    assignments.push(`${ident(soft)} = false`);
  }
  const origins = values.length + (layout.origin.kind === 'stamped' ? 2 : 1);
  const where = key.map(
    (each) => `t.${ident(each.column.name)} = ${cast(each, values.indexOf(each))}`,
  );
  if (soft !== null) {
    where.push(`t.${ident(soft)} is not true`);
  }
  return `with before as (select count(*)::int as count from ${source(values)} join ${qualified(layout.target)} t on ${where.join(' and ')}), written as (${insertSql(layout, values, counting)} on conflict (${key.map((each) => ident(each.column.name)).join(', ')}) do update set ${assignments.join(', ')} where ${guard(layout, origins)}${sameIdentity(values)} returning 1) select (select count(*)::int from written) as written, (select count from before) as before`;
}

/** Deletes every row of the subtree: what a provider's TRUNCATE means here. Parameter: the origins. */
export function truncateSql(layout: Layout): string {
  const { soft } = layout.flags;
  const where = `${guard(layout, 1)} and not ${isRewound(layout)}`;
  return soft === null
    ? `delete from ${qualified(layout.target)} t where ${where}`
    : `update ${qualified(layout.target)} t set ${ident(soft)} = true where ${where}`;
}

/** A row that may be the last copy, since its child went back in time. */
export function isRewound({ target, key }: Layout): string {
  const texts = key.map(({ column }) => `concat(t.${ident(column.name)})`);
  return `exists (select from tributary.parked p where p.reason = 'rewound' and p.schema_name = ${literal(target.schema)} and p.table_name = ${literal(target.name)} and p.key = jsonb_build_array(${texts.join(', ')}))`;
}

/**
 * Which of these keys (`n`, from 1) have a row that breaks a constraint that is not enforced under replica role. Of two
 * of them that break it together it is the later one. Parameters: the key's columns.
 */
export function deferrableSql(
  layout: Layout,
  key: readonly Param[],
  constraint: DeferrableConstraint,
): string {
  const table = qualified(layout.target);
  const other = key.map(
    (each, index) => `o.${ident(each.column.name)} = ${cast(each, index, 'l')}`,
  );
  const earlier = `not exists (select from ${source(key, 'counted', { name: 'l' })} where ${other.join(' and ')} and l.n > s.n)`;
  return `select distinct s.n::int as n from ${source(key, 'counted')} join ${table} t on ${match(key)} join ${table} o on ${clash(constraint)} where ${earlier}`;
}

/**
 * The same of every row of the subtree this transaction wrote: the keys, as arrays of text. A row that stood here before is
 * not blamed, for the transaction applied without its key would break the constraint again. Parameter: the origins.
 */
export function deferrableOfAllSql(layout: Layout, constraint: DeferrableConstraint): string {
  const table = qualified(layout.target);
  const key = layout.key.map(({ column }) => ident(column.name));
  const own = `row(${key.map((name) => `t.${name}`).join(', ')})`;
  const other = `row(${key.map((name) => `o.${name}`).join(', ')})`;
  return `select distinct array[${key.map((name) => `concat(t.${name})`).join(', ')}] as key from ${table} t join ${table} o on ${clash(constraint)} where ${guard(layout, 1)} and ${written('t')} and (${originText(layout, 'o')} <> all ($1::text[]) or not ${written('o')} or ${own} > ${other})`;
}

/** By this transaction or one that began later: those are of other streams, and their rows of other origins. */
export function written(alias: string): string {
  return `age(${alias}.xmin) <= age(pg_current_xact_id()::xid)`;
}

/**
 * How many of the indexes hold the values of a row (`n`, from 1) for a row of another key; rows that break none are left
 * out. Parameters: `values`, which hold the key and the indexes' columns.
 */
export function rivalsSql(
  layout: Layout,
  values: readonly Param[],
  indexes: readonly UniqueIndex[],
): string {
  const table = qualified(layout.target);
  const equal = (name: string): string => {
    const at = values.findIndex((each) => each.column.name === name);
    const value = values[at];
    return value ? `t.${ident(name)} = ${cast(value, at)}` : 'false';
  };
  const own = layout.key.map((each) => equal(each.column.name)).join(' and ');
  const hits = indexes.map(
    ({ columns }) =>
      `(exists (select from ${table} t where ${columns.map(equal).join(' and ')} and not (${own})))::int`,
  );
  const sum = hits.length > 0 ? hits.join(' + ') : '0';
  return `select r.n, r.rivals from (select s.n::int as n, ${sum} as rivals from ${source(values, 'counted')}) r where r.rivals > 0`;
}

/**
 * A row for each that stands here under one of the keys and holds what another row wants. Parameters: the columns of a
 * unique index as they are wanted, then the columns of the keys.
 */
export function circleSql(layout: Layout, wanted: readonly Param[], key: readonly Param[]): string {
  const keys = source(key, 'plain', { name: 'k', first: wanted.length + 1 });
  const stands = key.map((each, at) => `t.${ident(each.column.name)} = ${cast(each, at, 'k')}`);
  return `select 1 as found from ${source(wanted)} join ${qualified(layout.target)} t on ${match(wanted)} join ${keys} on ${stands.join(' and ')} limit 1`;
}

/** Rows t and o are two and break the constraint together. */
function clash(constraint: DeferrableConstraint): string {
  const meets = constraint.columns.map(
    (name, index) => `o.${ident(name)} ${constraint.operators[index] ?? '='} t.${ident(name)}`,
  );
  // By their place: a deferrable key lets two rows of one key stand.
  return `${meets.join(' and ')} and (o.tableoid, o.ctid) <> (t.tableoid, t.ctid)`;
}

/** `unnest(...) s(c1, ...)`. A single array unnests by itself; several side by side, as rows. */
export function source(
  params: readonly Param[],
  counting: Counting = 'plain',
  { name = 's', first = 1 }: { readonly name?: string; readonly first?: number } = {},
): string {
  const arrays = params.map((each, index) =>
    each.form === 'text' ? `$${index + first}::text[]` : `$${index + first}::${each.column.type}[]`,
  );
  const columns = params.map((_, index) => `c${index + 1}`);
  return counting === 'counted'
    ? `unnest(${arrays.join(', ')}) with ordinality ${name}(${columns.join(', ')}, n)`
    : `unnest(${arrays.join(', ')}) ${name}(${columns.join(', ')})`;
}

/** Always true: the counter is ahead of every place in a set. Of `s` alone, so that it is asked before any other row. */
const counted = `nextval('tributary.row_at') >= s.n`;

function also(counting: Counting): string {
  return counting === 'counted' ? ` and ${counted}` : '';
}

/** As the type's input function reads the text: the cast to regclass takes names only, not `-` and not numbers. */
function cast(param: Param, index: number, from = 's'): string {
  const value = `${from}.c${index + 1}`;
  if (param.form !== 'text' || param.column.type === 'text') {
    return value;
  }
  return param.column.baseTypeOid === regclassOid
    ? `pg_catalog.regclassin(${value}::cstring)`
    : `${value}::${param.column.type}`;
}

export function match(key: readonly Param[]): string {
  return key
    .map((each, index) => `t.${ident(each.column.name)} = ${cast(each, index)}`)
    .join(' and ');
}

/** Against the values of the source, or, without one, of the row that is excluded. */
function sameIdentity(values: readonly Param[], all: readonly Param[] | null = null): string {
  return values
    .filter(isAlwaysIdentity)
    .map((each) => {
      const name = ident(each.column.name);
      return ` and t.${name} = ${all ? cast(each, all.indexOf(each)) : `excluded.${name}`}`;
    })
    .join('');
}

export function isAlwaysIdentity({ column }: MappedColumn): boolean {
  return column.identity === 'a';
}

function guard(layout: Layout, parameter: number): string {
  return `${originText(layout, 't')} = any ($${parameter}::text[])`;
}

function originText(layout: Layout, alias: string): string {
  const { column } = layout.origin;
  const reference = `${alias}.${ident(column.name)}`;
  return column.type === 'text' ? reference : `${reference}::text`;
}
