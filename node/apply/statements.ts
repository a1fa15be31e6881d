/**
 * The SQL of sets: a few statements per table, whatever the number of rows. Each column travels as one array, unnested
 * into a row source `s`; a text array is cast to the column's type without modifier, so that an overlong value is an
 * error and is not cut. Pure; parameters are numbered in the order of the columns, then the origins.
 */
import { ident, qualified } from '../database/ident.ts';
import type { Layout, MappedColumn } from './layout.ts';
import type { DeferrableConstraint } from './target.ts';

/** A column with the form its values have in this statement. */
export interface Param extends MappedColumn {
  readonly form: 'text' | 'binary';
}

/** `delete`: parameters are the key's columns, then the origins of the subtree. */
export function deleteSql(layout: Layout, key: readonly Param[]): string {
  return `delete from ${qualified(layout.target)} t using ${source(key)} where ${match(key)} and ${guard(layout, key.length + 1)}`;
}

/** The origins of the rows of these keys that are not of the subtree. Same parameters as `deleteSql`. */
export function foreignSql(layout: Layout, key: readonly Param[]): string {
  const column = originText(layout, 't');
  return `select ${column} as origin, count(*)::int as count from ${source(key)} join ${qualified(layout.target)} t on ${match(key)} where ${column} is null or ${column} <> all ($${key.length + 1}::text[]) group by 1`;
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

/** Parameters: the key's columns, the values' columns, the origins. */
export function updateSql(layout: Layout, { key, values }: UpdateColumns): string {
  const all = [...key, ...values];
  const set = values.filter((each) => each.column.identity !== 'a');
  const assignments =
    set.length > 0
      ? set.map((each) => `${ident(each.column.name)} = ${cast(each, all.indexOf(each))}`)
      : key.map((each) => `${ident(each.column.name)} = t.${ident(each.column.name)}`);
  return `update ${qualified(layout.target)} t set ${assignments.join(', ')} from ${source(all)} where ${match(key)} and ${guard(layout, all.length + 1)}`;
}

/** Parameters: the columns, then the stamped origin if the layout has one. */
export function insertSql(layout: Layout, values: readonly Param[]): string {
  const columns = values.map((each) => ident(each.column.name));
  const selected = values.map((each, index) => cast(each, index));
  if (layout.origin.kind === 'stamped') {
    columns.push(ident(layout.origin.column.name));
    selected.push(`$${values.length + 1}::text::${layout.origin.column.type}`);
  }
  const overriding = values.some((each) => each.column.identity === 'a')
    ? ' overriding system value'
    : '';
  return `insert into ${qualified(layout.target)} as t (${columns.join(', ')})${overriding} select ${selected.join(', ')} from ${source(values)}`;
}

/**
 * Insert or update by key; one row: how many were written, how many of the keys stood here before. Parameters: as
 * `insertSql`, then the origins. The target's key must be unique.
 */
export function upsertSql(layout: Layout, values: readonly Param[]): string {
  const key = layout.key.flatMap((each) =>
    values.filter((value) => value.column.name === each.column.name),
  );
  const set = values.filter((each) => !key.includes(each) && each.column.identity !== 'a');
  const assigned = set.length > 0 ? set : key;
  const assignments = assigned.map(
    (each) => `${ident(each.column.name)} = excluded.${ident(each.column.name)}`,
  );
  const origins = values.length + (layout.origin.kind === 'stamped' ? 2 : 1);
  const where = key.map(
    (each) => `t.${ident(each.column.name)} = ${cast(each, values.indexOf(each))}`,
  );
  return `with before as (select count(*)::int as count from ${source(values)} join ${qualified(layout.target)} t on ${where.join(' and ')}), written as (${insertSql(layout, values)} on conflict (${key.map((each) => ident(each.column.name)).join(', ')}) do update set ${assignments.join(', ')} where ${guard(layout, origins)} returning 1) select (select count(*)::int from written) as written, (select count from before) as before`;
}

/** Deletes every row of the subtree: what a provider's TRUNCATE means here. Parameter: the origins. */
export function truncateSql(layout: Layout): string {
  return `delete from ${qualified(layout.target)} t where ${guard(layout, 1)}`;
}

/**
 * Whether a row of these keys breaks a constraint that is not enforced under replica role: one row, `broken`.
 * Parameters: the key's columns.
 */
export function deferrableSql(
  layout: Layout,
  key: readonly Param[],
  constraint: DeferrableConstraint,
): string {
  const table = qualified(layout.target);
  return `select exists (select from ${source(key)} join ${table} t on ${match(key)} join ${table} o on ${clash(layout, constraint)}) as broken`;
}

/** The same of every row of the subtree. Parameter: the origins. */
export function deferrableOfAllSql(layout: Layout, constraint: DeferrableConstraint): string {
  const table = qualified(layout.target);
  return `select exists (select from ${table} t join ${table} o on ${clash(layout, constraint)} where ${guard(layout, 1)}) as broken`;
}

/** Rows t and o are two and break the constraint together. */
function clash(layout: Layout, constraint: DeferrableConstraint): string {
  const meets = constraint.columns.map(
    (name, index) => `o.${ident(name)} ${constraint.operators[index] ?? '='} t.${ident(name)}`,
  );
  const other = layout.key
    .map((each) => `o.${ident(each.column.name)} <> t.${ident(each.column.name)}`)
    .join(' or ');
  return `${meets.join(' and ')} and (${other})`;
}

/** `unnest(...) s(c1, ...)`. A single array unnests by itself; several side by side, as rows. */
function source(params: readonly Param[]): string {
  const arrays = params.map((each, index) =>
    each.form === 'text' ? `$${index + 1}::text[]` : `$${index + 1}::${each.column.type}[]`,
  );
  return `unnest(${arrays.join(', ')}) s(${params.map((_, index) => `c${index + 1}`).join(', ')})`;
}

function cast(param: Param, index: number): string {
  return param.form === 'text' && param.column.type !== 'text'
    ? `s.c${index + 1}::${param.column.type}`
    : `s.c${index + 1}`;
}

function match(key: readonly Param[]): string {
  return key
    .map((each, index) => `t.${ident(each.column.name)} = ${cast(each, index)}`)
    .join(' and ');
}

function guard(layout: Layout, parameter: number): string {
  return `${originText(layout, 't')} = any ($${parameter}::text[])`;
}

function originText(layout: Layout, alias: string): string {
  const { column } = layout.origin;
  const reference = `${alias}.${ident(column.name)}`;
  return column.type === 'text' ? reference : `${reference}::text`;
}
