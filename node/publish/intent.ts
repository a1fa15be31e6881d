/** What this node shall be, from the topology alone: its place in the tree and the tables that travel. Pure. */
import { filterText } from '../config/filter-text.ts';
import type { FilterExpression, NodeConfig, ReplicatedTable, Topology } from '../config/model.ts';
import { TributaryError } from '../errors.ts';

export interface Intent {
  readonly node: NodeConfig;
  /** null: the root, which publishes nothing. */
  readonly parent: NodeConfig | null;
  readonly children: readonly NodeConfig[];
  /** Every row here is this node's own: nothing below it. */
  readonly leaf: boolean;
  readonly tables: readonly IntendedTable[];
}

export interface IntendedTable {
  /** Its filter is that of this node. */
  readonly table: ReplicatedTable;
  readonly leaf: boolean;
  /** Columns that leave this node's level; null: all. */
  readonly leaving: readonly string[] | null;
  /** The column that names the origin; null: at a leaf whose tables have none. */
  readonly origin: string | null;
}

/** Tributary's own tables that travel with the set, with their columns and keys. */
export const builtIn = [
  {
    schema: 'tributary',
    name: 'heartbeat',
    columns: ['node', 'at', 'lsn', 'nonce', 'version', 'topology', 'state', 'origins'],
  },
  {
    schema: 'tributary',
    name: 'audit',
    columns: ['id', 'node', 'at', 'actor', 'action', 'subject', 'detail'],
  },
] as const;

export const addedOriginColumn = 'tributary_origin';

/** @throws TributaryError usage, when the topology does not name the node. */
export function intentOf(topology: Topology, name: string): Intent {
  const node = topology.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) {
    throw new TributaryError('usage', { node: name, file: topology.file });
  }
  const children = topology.nodes.filter((candidate) => candidate.parent === name);
  const leaf = children.length === 0;
  return {
    node,
    parent: topology.nodes.find((candidate) => candidate.name === node.parent) ?? null,
    children,
    leaf,
    tables: topology.tables.map((table) => ({
      table: leaf ? table : withoutSoft(table),
      leaf,
      leaving: table.at.get(node.level)?.columns ?? table.columns,
      origin: table.origin ?? (leaf ? null : addedOriginColumn),
    })),
  };
}

/** A row that is soft-deleted here is outside what this node publishes: the next level hears of a delete. */
function withoutSoft(table: ReplicatedTable): ReplicatedTable {
  if (table.deletes.rule !== 'soft') {
    return table;
  }
  const { column } = table.deletes;
  const kept: FilterExpression = { kind: 'not', operand: { kind: 'column', column } };
  const { approved } = table;
  const expression: FilterExpression = approved
    ? { kind: 'and', operands: [approved.expression, kept] }
    : kept;
  const columns = [...new Set([...(approved?.columns ?? []), column])];
  return { ...table, approved: { sql: filterText(expression), columns, expression } };
}
