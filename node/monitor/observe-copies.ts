/** Tables that are being made equal, as metrics. */
import { copyStates } from './state-names.ts';
import type { Metrics } from './registry.ts';
import type { Snapshot } from './snapshot.ts';

/** Of the children in force, as what was compared. */
export function observeCopies(metrics: Metrics, { sample, streams }: Snapshot): void {
  const children = new Set(streams.map(({ provider }) => provider));
  for (const copy of sample.copies.filter(({ provider }) => children.has(provider))) {
    const labels = { stream: copy.provider, table: copy.table };
    for (const state of copyStates) {
      metrics.set('tributary_copy_state', copy.state === state, { ...labels, state });
    }
    metrics.set('tributary_copy_rows', copy.rows, labels);
    metrics.set('tributary_copy_estimated_rows', copy.estimatedRows, labels);
    metrics.set('tributary_copy_sent_rows', copy.sentRows, labels);
    metrics.set('tributary_copy_repaired_rows', copy.repairedRows, labels);
    metrics.set('tributary_copy_received_bytes', copy.bytes, labels);
    metrics.set('tributary_copy_seconds', copy.seconds, labels);
  }
}
