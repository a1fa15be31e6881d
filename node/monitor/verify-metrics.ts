/** Metrics of comparisons of tables with the child's; `stream` is the child. */
import type { Declarations } from './declaration.ts';

const table = ['stream', 'table'] as const;

export const verifyMetrics = {
  tributary_verify_running: {
    kind: 'gauge',
    help: '1 while the table is being compared, or waits for it; 0 else. Absent: it never was.',
    worry: '1 for days: `tributary verify` says why it does not come to its end.',
    labels: table,
  },
  tributary_verify_through_timestamp_seconds: {
    kind: 'gauge',
    help: 'Everything the child had committed by then was compared; absent before the first comparison has ended.',
    worry: 'Older than two of the windows in which it should be compared.',
    labels: table,
  },
  tributary_verify_differing_rows: {
    kind: 'gauge',
    help: 'Rows that differed in the last comparison that ended: missing, different or only here.',
    worry:
      'Above 0: somebody or something changed rows behind the node. `tributary reconcile` shows them.',
    labels: table,
  },
  tributary_verify_rows: {
    kind: 'gauge',
    help: "The child's rows compared by the last comparison, so far.",
    worry: 'Stands still while it runs.',
    labels: table,
  },
  tributary_verify_received_bytes: {
    kind: 'gauge',
    help: 'Bytes received by the last comparison, so far.',
    worry: 'A large part of the table: much of it differs.',
    labels: table,
  },
} as const satisfies Declarations;
