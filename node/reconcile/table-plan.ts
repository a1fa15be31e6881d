/** How a published table is read and compared: its columns that are stored here, its key, a relation of just those. Pure. */
import type { Layout } from '../apply/layout.ts';
import type { BaseType } from '../database/base-type.ts';
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

/** `layout`: of `publishedRelation`; `here`: the base types of the columns here. */
export function planOf(
  layout: Layout,
  table: ProviderTable,
  here: ReadonlyMap<string, BaseType>,
): TablePlan {
  const stored = new Set(layout.columns.map(({ column }) => column.name));
  const columns = layout.relation.columns.filter(({ name }) => stored.has(name));
  const key = layout.key.map(({ column }) => column.name);
  const names = columns.map(({ name }) => name);
  const place = { schema: layout.relation.schema, name: layout.relation.name, key };
  const alike = layout.columns
    .filter(({ index, column }) => {
      const sent = table.columns[index]?.baseType;
      const local = here.get(column.name);
      return sent !== undefined && local !== undefined && isAlike(sent, local);
    })
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
  ['int2', 'int4', 'int8'],
  ['text', 'varchar'],
];

/** Whether a value that has come here has the text it was sent with. */
function isAlike(sent: BaseType, local: BaseType): boolean {
  return sent.name === local.name
    ? keepsText(sent, local)
    : families.some((each) => each.includes(sent.name) && each.includes(local.name));
}

/** Of the same type. Most modifiers refuse a value or leave it as it is; these fill up or round. */
function keepsText(sent: BaseType, local: BaseType): boolean {
  if (local.modifier < 0) {
    return true;
  }
  switch (sent.name.replaceAll('[]', '')) {
    case 'bpchar':
    case 'bit':
      return sent.modifier === local.modifier;
    case 'numeric':
      return sent.modifier >= 0 && scale(sent.modifier) === scale(local.modifier);
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      return (sent.modifier < 0 ? mostPrecise : sent.modifier) <= local.modifier;
    case 'interval':
      return keepsInterval(sent.modifier < 0 ? anyInterval : sent.modifier, local.modifier);
    default:
      return true;
  }
}

const mostPrecise = 6;

/** Eleven bits with a sign: `numeric_typmod_scale` of src/backend/utils/adt/numeric.c. */
function scale(modifier: number): number {
  return (modifier - 4) & 0x7ff;
}

/** Which fields, and behind them the precision: src/include/utils/timestamp.h. */
const anyInterval = 0x7fff_ffff;

function keepsInterval(sent: number, local: number): boolean {
  const fields = local >> 16;
  const precise = Math.min(sent & 0xffff, mostPrecise) <= (local & 0xffff);
  return precise && (fields === anyInterval >> 16 || fields === sent >> 16);
}
