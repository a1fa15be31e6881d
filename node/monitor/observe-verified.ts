/** Tables that were compared, as metrics. */
import type { Metrics } from './registry.ts';
import type { Snapshot } from './snapshot.ts';

/** Of the children in force: what was found of one that has gone is nobody's to mend. */
export function observeVerified(metrics: Metrics, { sample, streams }: Snapshot): void {
  const children = new Set(streams.map(({ provider }) => provider));
  for (const row of sample.verified.filter(({ provider }) => children.has(provider))) {
    const labels = { stream: row.provider, table: `${row.schema}.${row.name}` };
    const through = row.verifiedThrough && row.verifiedThrough.getTime() / 1000;
    metrics.set('tributary_verify_running', row.state !== 'done', labels);
    metrics.set('tributary_verify_through_timestamp_seconds', through, labels);
    metrics.set('tributary_verify_differing_rows', row.differing, labels);
    metrics.set('tributary_verify_rows', row.walked, labels);
    metrics.set('tributary_verify_received_bytes', row.bytes, labels);
  }
}
