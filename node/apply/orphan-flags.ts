/**
 * `orphans: {deactivate: column}`: after the changes of a part, in its transaction, the flag of every row it may concern
 * is what holds now: true if each row it refers to is here and not soft-deleted. Set-based, for foreign keys between tables
 * of the set; the flag is this node's own, so rows of every origin have it.
 */
import type { ReplicatedTable } from '../config/model.ts';
import { ident, qualified } from '../database/ident.ts';
import { bind, formOf, params } from './binding.ts';
import { type ForeignKey, holds, nameOf } from './foreign-keys.ts';
import type { Query } from './session.ts';
import { match, source } from './statements.ts';
import type { Touched, TouchedTables } from './touched-rows.ts';

/** One flag of a table with the foreign keys it tells of. */
interface Flag {
  readonly table: ReplicatedTable;
  readonly column: string;
  readonly keys: readonly ForeignKey[];
}

/** Before the commit. @throws the database's error. */
export async function judgeFlags(
  keys: readonly ForeignKey[],
  touched: TouchedTables,
  query: Query,
): Promise<void> {
  for (const flag of flagsOf(keys)) {
    for (const own of touched.get(nameOf(flag.table)) ?? []) {
      await ofTable(flag, own, query);
    }
    for (const key of flag.keys) {
      for (const referred of touched.get(nameOf(key.refers)) ?? []) {
        await ofReferred({ flag, key }, referred, query);
      }
    }
  }
}

function flagsOf(keys: readonly ForeignKey[]): readonly Flag[] {
  const groups = Map.groupBy(keys, ({ table, flag }) => `${nameOf(table)} ${flag ?? ''}`);
  return [...groups.values()].flatMap((some) => {
    const [{ table, flag: column }] = some as [ForeignKey, ...ForeignKey[]];
    return column === null ? [] : [{ table, column, keys: some }];
  });
}

/** The rows that were touched themselves. */
async function ofTable(flag: Flag, { layout, tuples }: Touched, query: Query): Promise<void> {
  if (tuples === 'all') {
    await query(setSql(flag));
    return;
  }
  const [first] = tuples;
  if (first) {
    const key = params(layout.key, formOf(layout, first));
    const sql = setSql(flag, { from: source(key), where: match(key) });
    await query(sql, bind(key, tuples, layout.table));
  }
}

/** The rows that refer to rows that were touched, by the values referred to where a tuple holds them. */
async function ofReferred(
  { flag, key }: { readonly flag: Flag; readonly key: ForeignKey },
  { layout, tuples, before }: Touched,
  query: Query,
): Promise<void> {
  const columns = key.referred.flatMap((name) =>
    layout.columns.filter(({ column }) => column.name === name),
  );
  const whole = columns.length === key.referred.length;
  const ofKey = columns.every(({ index }) => layout.keyIndexes.includes(index));
  if (tuples === 'all' || !whole || (!ofKey && key.refers.deletes.rule !== 'soft')) {
    // The values of a row that was deleted are gone with it.
    await query(setSql(flag));
    return;
  }
  const holding = [...before, ...tuples].filter((tuple) =>
    columns.every(({ index }) => !['null', 'unchanged'].includes(tuple.kind(index))),
  );
  const [first] = holding;
  if (!first) {
    return;
  }
  const values = params(columns, formOf(layout, first));
  const meets = key.columns.map((name, at) => {
    const value = values[at];
    const cast = value?.form === 'text' ? `::${value.column.type}` : '';
    return `t.${ident(name)} = s.c${at + 1}${cast}`;
  });
  const sql = setSql(flag, { from: source(values), where: meets.join(' and ') });
  await query(sql, bind(values, holding, layout.table));
}

function setSql(flag: Flag, some?: { readonly from: string; readonly where: string }): string {
  const column = `t.${ident(flag.column)}`;
  const all = flag.keys.map(holds).join(' and ');
  const from = some ? ` from ${some.from}` : '';
  const where = some ? `${some.where} and ` : '';
  return `update ${qualified(flag.table)} t set ${ident(flag.column)} = (${all})${from} where ${where}${column} is distinct from (${all})`;
}
