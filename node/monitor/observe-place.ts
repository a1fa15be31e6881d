/** What a datacentre has besides replication, as metrics: its applications, and how long its log and disk last. */
import type { Metrics } from './registry.ts';
import { forecastOf, type Snapshot } from './snapshot.ts';

export function observePlace(metrics: Metrics, snapshot: Snapshot): void {
  observeForecast(metrics, snapshot);
  for (const probe of snapshot.probes) {
    observeProbe(metrics, probe);
  }
}

function observeForecast(metrics: Metrics, snapshot: Snapshot): void {
  const { sample } = snapshot;
  const { diskSeconds, offlineSeconds, slotSeconds } = forecastOf(snapshot);
  metrics.set('tributary_offline_seconds', offlineSeconds);
  if (sample.disk) {
    metrics.set('tributary_disk_seconds_left', diskSeconds, { path: sample.disk.path });
  }
  for (const { name, type } of sample.slots) {
    const labels = { slot_name: name, slot_type: type };
    metrics.set('tributary_replication_slots_seconds_left', slotSeconds.get(name), labels);
  }
}

function observeProbe(metrics: Metrics, probe: Snapshot['probes'][number]): void {
  const { name, kind, up, seconds, certificateExpires } = probe;
  const labels = { probe: name, kind };
  metrics.set('tributary_probe_up', up, labels);
  metrics.set('tributary_probe_duration_seconds', seconds, labels);
  metrics.set(
    'tributary_probe_certificate_expiry_timestamp_seconds',
    certificateExpires && certificateExpires.getTime() / 1000,
    labels,
  );
}
