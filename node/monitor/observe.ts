/** A snapshot as metrics. */
import type { StreamReport } from '../supervise/stream-report.ts';
import { parkReasons } from '../parking/parked-key.ts';
import { countFindings } from './finding.ts';
import { observeCopies } from './observe-copies.ts';
import { observePlace } from './observe-place.ts';
import { observeSubtree } from './observe-subtree.ts';
import { observeVerified } from './observe-verified.ts';
import type { Metrics } from './registry.ts';
import { behind, isReady } from './report-status.ts';
import type { Slot } from './sample.ts';
import type { Snapshot } from './snapshot.ts';
import { doubtNames, streamStates, walStatuses } from './state-names.ts';

/** Sets every metric of the node from the snapshot. */
export function observe(metrics: Metrics, snapshot: Snapshot): void {
  metrics.clear();
  observeNode(metrics, snapshot);
  for (const stream of snapshot.streams) {
    observeState(metrics, stream);
    observeLag(metrics, stream);
    observeTotals(metrics, stream);
    observeParked(metrics, stream.provider, snapshot);
    observeDoubts(metrics, stream.provider, snapshot);
  }
  observeSubtree(metrics, snapshot);
  for (const slot of snapshot.sample.slots) {
    observeSlot(metrics, slot);
  }
  observeCopies(metrics, snapshot);
  observeVerified(metrics, snapshot);
  observePlace(metrics, snapshot);
}

function observeNode(metrics: Metrics, snapshot: Snapshot): void {
  const { node, topology, sample } = snapshot;
  metrics.set('tributary_node_info', 1, {
    node: node.name,
    level: node.level,
    version: snapshot.version,
    topology: topology.digest,
  });
  metrics.set('tributary_leader', snapshot.leader === 'leading');
  metrics.set('tributary_ready', isReady(snapshot));
  metrics.set('tributary_database_up', sample.at !== null && sample.error === null);
  metrics.set('tributary_topology_valid', snapshot.topologyProblems.length === 0);
  metrics.set('tributary_wal_directory_bytes', sample.walDirectoryBytes);
  metrics.set('tributary_wal_written_bytes_total', sample.walWrittenBytes);
  if (sample.disk) {
    const { path, totalBytes, freeBytes } = sample.disk;
    metrics.set('tributary_disk_total_bytes', totalBytes, { path });
    metrics.set('tributary_disk_free_bytes', freeBytes, { path });
  }
  for (const severity of ['error', 'warning', 'info'] as const) {
    const count = snapshot.findings.filter((finding) => finding.severity === severity).length;
    metrics.set('tributary_findings', count, { severity });
  }
  for (const { code, severity, count } of countFindings(snapshot.findings)) {
    metrics.set('tributary_findings_by_code', count, { code, severity });
  }
  metrics.set('tributary_walsenders_ended_total', snapshot.walsendersEnded);
}

function observeState(metrics: Metrics, stream: StreamReport): void {
  for (const state of streamStates) {
    const labels = { stream: stream.provider, state };
    metrics.set('tributary_stream_state', stream.state === state, labels);
  }
}

function observeLag(metrics: Metrics, { provider, progress, position }: StreamReport): void {
  if (!progress?.connected) {
    return;
  }
  const labels = { stream: provider };
  const { walEnd, received, confirmed, queuedBytes } = progress;
  metrics.set('tributary_stream_received_lag_bytes', behind(walEnd, received), labels);
  metrics.set('tributary_stream_applied_lag_bytes', position && behind(walEnd, position), labels);
  metrics.set('tributary_stream_confirmed_lag_bytes', behind(walEnd, confirmed), labels);
  metrics.set('tributary_stream_queued_bytes', queuedBytes, labels);
}

function observeTotals(metrics: Metrics, { provider, totals }: StreamReport): void {
  const labels = { stream: provider };
  const { connections } = totals;
  metrics.set('tributary_stream_received_bytes_total', totals.bytesReceived, labels);
  metrics.set('tributary_stream_transactions_applied_total', totals.transactions, labels);
  metrics.set('tributary_stream_replays_total', totals.replays, labels);
  metrics.set('tributary_stream_connections_total', connections, labels);
  metrics.set('tributary_stream_reconnects_total', Math.max(0, connections - 1), labels);
  for (const [phase, milliseconds] of Object.entries(totals.phaseMs)) {
    const seconds = milliseconds / 1000;
    metrics.set('tributary_stream_phase_seconds_total', seconds, { ...labels, phase });
  }
  for (const [table, counts] of totals.rows) {
    for (const [operation, count] of Object.entries(counts)) {
      const row = { ...labels, table, operation };
      metrics.set('tributary_stream_rows_applied_total', Number(count), row);
    }
  }
  for (const [name, count] of totals.conflicts) {
    // The key is the conflict type, a space, and the table, whose name may hold spaces.
    const [type = name, ...rest] = name.split(' ');
    const table = rest.join(' ');
    const conflict = { ...labels, conflict_type: type, table };
    metrics.set('tributary_stream_conflicts_total', count, conflict);
  }
}

/** Every table and reason, so that a key that is freed shows as zero. Unknown until the database was asked. */
function observeParked(metrics: Metrics, stream: string, { topology, sample }: Snapshot): void {
  if (sample.at === null) {
    return;
  }
  for (const { schema, name } of topology.tables) {
    const table = `${schema}.${name}`;
    const own = sample.parked.filter((one) => one.provider === stream && one.table === table);
    for (const reason of parkReasons) {
      const count = own.find((one) => one.reason === reason)?.count ?? 0;
      metrics.set('tributary_parked_keys', count, { stream, table, reason });
    }
    const blocked = sample.blocked.some((one) => one.provider === stream && one.table === table);
    metrics.set('tributary_table_blocked', blocked, { stream, table });
    const partial = sample.partial.some((one) => one.provider === stream && one.table === table);
    metrics.set('tributary_table_partial', partial, { stream, table });
  }
}

function observeDoubts(metrics: Metrics, stream: string, { sample }: Snapshot): void {
  if (sample.at === null) {
    return;
  }
  for (const doubt of doubtNames) {
    const met = sample.doubts.find(({ provider, name }) => provider === stream && name === doubt);
    metrics.set('tributary_stream_doubts_total', met?.count ?? 0, { stream, doubt });
  }
}

function observeSlot(metrics: Metrics, slot: Slot): void {
  const labels = { slot_name: slot.name, slot_type: slot.type };
  metrics.set('tributary_replication_slots_active', slot.active, labels);
  metrics.set('tributary_replication_slots_retained_bytes', slot.retainedBytes, labels);
  metrics.set('tributary_replication_slots_unconfirmed_bytes', slot.unconfirmedBytes, labels);
  metrics.set('tributary_replication_slots_safe_wal_bytes', slot.safeWalBytes, labels);
  for (const status of walStatuses) {
    const one = { ...labels, wal_status: status };
    metrics.set('tributary_replication_slots_wal_status', slot.walStatus === status, one);
  }
}
