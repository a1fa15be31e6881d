/** The nodes below this one as metrics: from their heartbeats, and from the file in force. */
import type { SubtreeHeartbeat } from '../database/subtree.ts';
import { countFindings } from './finding.ts';
import type { Metrics } from './registry.ts';
import { ageNow, type Snapshot } from './snapshot.ts';
import { streamStates, walStatuses } from './state-names.ts';
import { subtreeState, type SubtreeState } from './subtree-state.ts';

export function observeSubtree(metrics: Metrics, snapshot: Snapshot): void {
  const { topology, sample } = snapshot;
  const levels = new Map(
    // A retired node is not expected to be heard of: what it last said would be alerted about for ever.
    topology.nodes.filter((node) => !node.retired).map((node) => [node.name, node.level]),
  );
  for (const { origin, via, ageSeconds, complete } of sample.freshness) {
    const level = levels.get(origin);
    if (level !== undefined) {
      metrics.set('tributary_origin_info', 1, { origin, level, via });
    }
    const age = ageNow(sample, ageSeconds);
    metrics.set('tributary_origin_heartbeat_age_seconds', age, { origin });
    metrics.set('tributary_origin_complete', complete, { origin });
    if (ageSeconds !== null && ageSeconds < 0) {
      metrics.set('tributary_origin_clock_ahead_seconds', -ageSeconds, { origin });
    }
  }
  for (const heartbeat of sample.subtree) {
    if (levels.has(heartbeat.origin)) {
      observeHeartbeat(metrics, heartbeat);
    }
  }
}

function observeHeartbeat(metrics: Metrics, heartbeat: SubtreeHeartbeat): void {
  const { origin, version, topology } = heartbeat;
  metrics.set('tributary_subtree_info', 1, {
    origin,
    version: version.slice(0, 100),
    topology: topology.slice(0, 100),
  });
  const state = subtreeState(heartbeat.state);
  metrics.set('tributary_subtree_disk_total_bytes', state.disk?.total, { origin });
  metrics.set('tributary_subtree_disk_free_bytes', state.disk?.free, { origin });
  metrics.set('tributary_subtree_wal_directory_bytes', state.log.directory, { origin });
  metrics.set('tributary_subtree_offline_seconds', state.forecast.offline, { origin });
  metrics.set('tributary_subtree_disk_seconds_left', state.forecast.disk, { origin });
  for (const { name, up, certificate } of state.probes) {
    const labels = { origin, probe: name };
    metrics.set('tributary_subtree_probe_up', up, labels);
    metrics.set(
      'tributary_subtree_probe_certificate_expiry_timestamp_seconds',
      certificate === null ? null : Date.parse(certificate) / 1000,
      labels,
    );
  }
  for (const slot of state.log.slots) {
    observeSlot(metrics, origin, slot);
  }
  for (const [stream, now] of Object.entries(state.streams)) {
    for (const name of streamStates) {
      const labels = { origin, stream, state: name };
      metrics.set('tributary_subtree_stream_state', now.state === name, labels);
    }
  }
  for (const { code, severity, count } of countFindings(state.findings)) {
    metrics.set('tributary_subtree_findings', count, { origin, code, severity });
  }
}

function observeSlot(
  metrics: Metrics,
  origin: string,
  slot: SubtreeState['log']['slots'][number],
): void {
  const labels = { origin, slot_name: slot.name };
  metrics.set('tributary_subtree_slot_active', slot.active, labels);
  metrics.set('tributary_subtree_slot_retained_bytes', slot.retained, labels);
  metrics.set('tributary_subtree_slot_safe_wal_bytes', slot.safe, labels);
  for (const status of walStatuses) {
    const one = { ...labels, wal_status: status };
    metrics.set('tributary_subtree_slot_wal_status', slot.status === status, one);
  }
}
