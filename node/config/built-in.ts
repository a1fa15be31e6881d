/** Tables of Tributary's own that are part of every replication set: heartbeats and audit, all rows, origin in `node`. */
import type { ReplicatedTable, Topology } from './model.ts';

export const heartbeatTable: ReplicatedTable = ownTable('heartbeat', ['node']);
export const auditTable: ReplicatedTable = ownTable('audit', ['id']);

/** Everything that travels: the built-in tables first, then the tables of the file. */
export function replicationSet(topology: Topology): readonly ReplicatedTable[] {
  return [heartbeatTable, auditTable, ...topology.tables];
}

function ownTable(name: string, key: readonly string[]): ReplicatedTable {
  return {
    schema: 'tributary',
    name,
    key,
    approved: null,
    columns: null,
    at: new Map(),
    identity: 'index',
    carry: 'none',
    origin: 'node',
    orphans: { rule: 'keep' },
    orphansByForeignKey: new Map(),
    deletes: { rule: 'hard' },
  };
}
