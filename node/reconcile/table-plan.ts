/** How a published table is read and compared: its columns that are stored here, its key, a relation of just those. Pure. */
import type { Layout } from '../apply/layout.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { ProviderTable } from '../provider/provider.ts';
import type { TableColumns } from '../provider/reader.ts';

export interface TablePlan {
  /** Of the columns that are read. */
  readonly relation: Relation;
  readonly read: TableColumns;
  /** As `read`, less the columns whose text differs here because their type does. */
  readonly compared: TableColumns;
  /** Positions of the key's columns in `relation`. */
  readonly keyIndexes: readonly number[];
  /** Types of the key's columns here. */
  readonly keyTypeOids: readonly number[];
  readonly originColumn: string;
}

/** The relation as the stream would describe it, every published column in it. */
export function publishedRelation(table: ProviderTable, key: readonly string[]): Relation {
  return {
    kind: 'relation',
    oid: 0,
    schema: table.schema,
    name: table.name,
    replicaIdentity: 'd',
    columns: table.columns.map(({ name, typeOid, typeModifier }) => ({
      name,
      typeOid,
      typeModifier,
      identity: key.includes(name),
    })),
  };
}

/** `layout`: of `publishedRelation`. */
export function planOf(layout: Layout, table: ProviderTable): TablePlan {
  const stored = new Set(layout.columns.map(({ column }) => column.name));
  const columns = layout.relation.columns.filter(({ name }) => stored.has(name));
  const key = layout.key.map(({ column }) => column.name);
  const names = columns.map(({ name }) => name);
  const place = { schema: layout.relation.schema, name: layout.relation.name, key };
  const alike = layout.columns
    .filter(({ index, column }) => isAlike(table.columns[index]?.type ?? '', column.type))
    .map(({ column }) => column.name);
  return {
    relation: { ...layout.relation, columns },
    read: { ...place, columns: names },
    compared: { ...place, columns: names.filter((name) => alike.includes(name)) },
    keyIndexes: key.map((name) => names.indexOf(name)),
    keyTypeOids: layout.key.map(({ column }) => column.typeOid),
    originColumn: layout.origin.column.name,
  };
}

const families = [
  ['smallint', 'integer', 'bigint'],
  ['text', 'character varying'],
];

/** Whether equal values have equal texts; types by their names, as user-defined ones have other oids elsewhere. */
function isAlike(sent: string, local: string): boolean {
  const bare = sent.replace(/\([^)]*\)/, '');
  return bare === local || families.some((each) => each.includes(bare) && each.includes(local));
}
