/**
 * How the columns a provider sends become columns of the local table: the one place where sent columns are mapped to
 * local ones. Pure; decided again for every RELATION.
 */
import type { DriftCause } from '../parking/table-drift.ts';
import type { Relation, RelationColumn } from '../pgoutput/messages.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { originColumn, type Target, type TargetColumn } from './target.ts';
import { fits, fitsBinary, isText } from './type-fit.ts';

export interface Layout {
  readonly relation: Relation;
  readonly target: Target;
  /** Qualified, for counters, logs and errors. */
  readonly table: string;
  /** Sent columns that are stored, in the order they are sent. */
  readonly columns: readonly MappedColumn[];
  readonly key: readonly MappedColumn[];
  /** Positions of the key's columns in the relation. */
  readonly keyIndexes: readonly number[];
  readonly origin: Origin;
  /** Columns this node keeps for itself; never taken from what is sent. */
  readonly flags: Flags;
  /** Sent columns that do not exist here: rows go in without them. */
  readonly setAside: readonly RelationColumn[];
  /** Every stored column may come in binary form. */
  readonly fitsBinary: boolean;
}

export interface Flags {
  /** Set instead of a delete; null: rows are deleted. */
  readonly soft: string | null;
  /** False while a row refers to one that is not here. */
  readonly active: readonly string[];
}

export const noFlags: Flags = { soft: null, active: [] };

export interface MappedColumn {
  /** Position in the relation. */
  readonly index: number;
  readonly column: TargetColumn;
}

/** The origin is a column that is sent, or the name of the leaf that sends. */
export type Origin =
  | { readonly kind: 'sent'; readonly index: number; readonly column: TargetColumn }
  | { readonly kind: 'stamped'; readonly name: string; readonly column: TargetColumn };

export interface Drift {
  readonly reason: Exclude<DriftCause, 'statement'>;
  readonly column: string | null;
}

export interface LayoutOptions {
  readonly relation: Relation;
  readonly target: Target;
  readonly provider: string;
  readonly providerIsLeaf: boolean;
  /** The table's origin column by the topology; null: tributary_origin. */
  readonly originColumn: string | null;
  readonly filterColumns: readonly string[];
  readonly flags?: Flags;
}

/** The layout, or why rows of this relation are impossible here. */
export function layoutOf(options: LayoutOptions): Layout | Drift {
  const { relation, target, flags = noFlags } = options;
  const columns = mapped(relation, target).filter(({ column }) => !isFlag(flags, column.name));
  const origin = originOf(options);
  const drift = driftOf(options, columns, origin);
  if (drift) {
    return drift;
  }
  if (!origin) {
    return { reason: 'origin_column_missing', column: options.originColumn ?? originColumn };
  }
  const key = target.key.flatMap((name) => columns.filter((each) => each.column.name === name));
  const stored = columns.filter(
    (each) => !(origin.kind === 'stamped' && each.column.name === origin.column.name),
  );
  return {
    relation,
    target,
    table: `${target.schema}.${target.name}`,
    columns: stored,
    key,
    keyIndexes: key.map((each) => each.index),
    origin,
    flags,
    setAside: relation.columns.filter(
      (column) => !isFlag(flags, column.name) && !target.columns.has(column.name),
    ),
    fitsBinary:
      stored.every((each) => fitsBinary(sentType(relation, each), each.column.typeOid)) &&
      (origin.kind === 'stamped' || isText(origin.column.typeOid)),
  };
}

export function isDrift(layout: Layout | Drift): layout is Drift {
  return 'reason' in layout;
}

function isFlag({ soft, active }: Flags, name: string): boolean {
  return name === soft || active.includes(name);
}

/** Whether a column that is stored here did not travel with the row. */
export function lacksValue(tuple: Tuple, layout: Layout): boolean {
  return (
    tuple.hasUnchanged && layout.columns.some(({ index }) => tuple.kind(index) === 'unchanged')
  );
}

/** The node the row was entered at; null: the tuple does not say, as the key of a deleted row. */
export function originOfTuple({ origin }: Layout, tuple: Tuple): string | null {
  if (origin.kind === 'stamped') {
    return origin.name;
  }
  if (tuple.kind(origin.index) === 'unchanged') {
    return null;
  }
  const name = tuple.value(origin.index)?.toString('utf8') ?? null;
  // A character(n) column pads its text with spaces.
  return name !== null && origin.column.baseTypeOid === 1042 ? name.trimEnd() : name;
}

/** Generated columns of the local table are computed here, whatever is sent. */
function mapped(relation: Relation, target: Target): readonly MappedColumn[] {
  return relation.columns.flatMap((sent, index) => {
    const column = target.columns.get(sent.name);
    return column && !column.generated ? [{ index, column }] : [];
  });
}

function originOf(options: LayoutOptions): Origin | null {
  const name = options.originColumn ?? originColumn;
  const column = options.target.columns.get(name);
  if (!column) {
    return null;
  }
  if (options.originColumn === null && options.providerIsLeaf) {
    return { kind: 'stamped', name: options.provider, column };
  }
  const index = options.relation.columns.findIndex((sent) => sent.name === name);
  return index < 0 ? null : { kind: 'sent', index, column };
}

function driftOf(
  options: LayoutOptions,
  columns: readonly MappedColumn[],
  origin: Origin | null,
): Drift | null {
  const { relation, target, flags = noFlags } = options;
  const flag = [...(flags.soft === null ? [] : [flags.soft]), ...flags.active].find(
    (name) => target.columns.get(name)?.baseTypeOid !== 16,
  );
  if (flag !== undefined) {
    return { reason: 'flag_missing', column: flag };
  }
  if (target.key.length === 0) {
    return { reason: 'no_key', column: null };
  }
  for (const name of target.key) {
    const sent = relation.columns.find((column) => column.name === name);
    if (!sent || !columns.some((each) => each.column.name === name)) {
      return { reason: 'key_column_missing', column: name };
    }
    if (!inIdentity(relation, sent)) {
      return { reason: 'identity', column: name };
    }
  }
  for (const name of options.filterColumns) {
    if (!target.columns.has(name) || !relation.columns.some((column) => column.name === name)) {
      return { reason: 'filter_column_missing', column: name };
    }
  }
  const unfit = columns.find(
    (each) =>
      each.column.name !== stampedName(origin) &&
      !fits(relation.columns[each.index] ?? unknownType, each.column),
  );
  if (unfit) {
    return { reason: 'type', column: unfit.column.name };
  }
  const empty = [...target.columns.values()].find(
    (column) =>
      column.notNull &&
      !column.hasDefault &&
      !column.generated &&
      column.name !== stampedName(origin) &&
      !isFlag(flags, column.name) &&
      !columns.some((each) => each.column.name === column.name),
  );
  return empty ? { reason: 'not_null', column: empty.name } : null;
}

/** Without any identity the walsender sends inserts only, and the provider refuses updates and deletes itself. */
function inIdentity(relation: Relation, column: RelationColumn): boolean {
  return column.identity || !relation.columns.some((each) => each.identity);
}

/** Of no relation: a type nothing takes. */
const unknownType = { typeOid: 0, typeModifier: -1 };

function stampedName(origin: Origin | null): string | null {
  return origin?.kind === 'stamped' ? origin.column.name : null;
}

function sentType(relation: Relation, each: MappedColumn): number {
  return relation.columns[each.index]?.typeOid ?? 0;
}
