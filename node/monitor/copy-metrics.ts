/** Metrics of tables that are being made equal, such as a first copy; `stream` is the child they come from. */
import type { Declarations } from './declaration.ts';

const table = ['stream', 'table'] as const;

export const copyMetrics = {
  tributary_copy_state: {
    kind: 'gauge',
    help: 'State of the copy of a table: 1 for the one it is in, 0 for the others; it stays after the end.',
    worry: 'held: a person has to allow what it would remove. failed: the log names the reason.',
    labels: [...table, 'state'],
  },
  tributary_copy_rows: {
    kind: 'gauge',
    help: "The child's rows walked over so far.",
    worry: 'Stands still while its state is running.',
    labels: table,
  },
  tributary_copy_estimated_rows: {
    kind: 'gauge',
    help: 'Rows the child is thought to have; absent while not known. An estimate: the end may come before or after it.',
    worry: 'Never by itself; progress is judged against it.',
    labels: table,
  },
  tributary_copy_sent_rows: {
    kind: 'gauge',
    help: 'Rows that came in full: all of a first copy, else those in which the two sides differed.',
    worry: 'Far above the rows of the table: it was interrupted often.',
    labels: table,
  },
  tributary_copy_repaired_rows: {
    kind: 'gauge',
    help: 'Rows corrected or removed here.',
    worry: 'Above 0 in a copy that only proves: the two sides were not the same.',
    labels: table,
  },
  tributary_copy_received_bytes: {
    kind: 'gauge',
    help: 'Bytes received for it.',
    worry: 'Far more than the rows that were repaired: it was interrupted often.',
    labels: table,
  },
  tributary_copy_seconds: {
    kind: 'gauge',
    help: 'Time since it began, or that it took; absent before.',
    worry: 'Days: see the link, and the throttle in the topology file.',
    labels: table,
  },
} as const satisfies Declarations;
