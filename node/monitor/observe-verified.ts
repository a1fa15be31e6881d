/** Tables that were compared, as metrics. */
import type { Metrics } from './registry.ts';
import type { Snapshot } from './snapshot.ts';

export function observeVerified(metrics: Metrics, { sample }: Snapshot): void {
  for (const row of sample.verified) {
    const labels = { stream: row.provider, table: `${row.schema}.${row.name}` };
    const through = row.verifiedThrough && row.verifiedThrough.getTime() / 1000;
    metrics.set('tributary_verify_running', row.state !== 'done', labels);
    metrics.set('tributary_verify_through_timestamp_seconds', through, labels);
    metrics.set('tributary_verify_differing_rows', row.differing, labels);
    metrics.set('tributary_verify_rows', row.walked, labels);
    metrics.set('tributary_verify_received_bytes', row.bytes, labels);
  }
}
