/** Metrics of the streams into this node; `stream` is the child it comes from. */
import type { Declarations } from './declaration.ts';

export const streamMetrics = {
  tributary_stream_state: {
    kind: 'gauge',
    help: 'State of a stream: 1 for the one it is in, 0 for the others.',
    worry: 'person: at once. Any other but streaming for longer than the link is usually down.',
    labels: ['stream', 'state'],
  },
  tributary_stream_received_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log that its walsender has read and this node not received, as of its last message; absent while not connected.",
    worry:
      'Small behind a slow link too: what the child has not read yet only the child knows, see `tributary_replication_slots_unconfirmed_bytes` there.',
    labels: ['stream'],
  },
  tributary_stream_applied_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log not yet applied, as of its last message; absent while not connected.",
    worry: 'Rises while the received lag does not: this database is slower than the link.',
    labels: ['stream'],
  },
  tributary_stream_confirmed_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log not yet confirmed, as of its last message; absent while not connected.",
    worry: 'Rises while the applied lag does not: the child keeps log for nothing.',
    labels: ['stream'],
  },
  tributary_stream_queued_bytes: {
    kind: 'gauge',
    help: 'Received and waiting to be applied.',
    worry: 'At its bound all the time: this database is slower than the link.',
    labels: ['stream'],
  },
  tributary_stream_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes received from the provider.',
    worry: 'Stands still while the heartbeats of the child grow old.',
    labels: ['stream'],
  },
  tributary_stream_rows_applied_total: {
    kind: 'counter',
    help: 'Row changes applied, as the provider sent them.',
    worry: 'Deletes far above the usual: somebody withdraws or removes a lot at the child.',
    labels: ['stream', 'table', 'operation'],
  },
  tributary_stream_transactions_applied_total: {
    kind: 'counter',
    help: 'Source transactions applied.',
    worry: 'Stands still while bytes arrive: one large transaction, or a lock here.',
    labels: ['stream'],
  },
  tributary_stream_conflicts_total: {
    kind: 'counter',
    help: "Rows that met another state here than expected, by PostgreSQL's names of conflicts; see conflicts.md.",
    worry: 'Grows in quiet times: somebody writes here to rows that are entered elsewhere.',
    labels: ['stream', 'conflict_type', 'table'],
  },
  tributary_stream_doubts_total: {
    kind: 'counter',
    help: 'Doubts about a provider that were met by a new slot and a comparison of every table, since the database was prepared; see doubts.md.',
    worry:
      'slot_lost: the outage was longer than the log. Any other: somebody works on the server of the child.',
    labels: ['stream', 'doubt'],
  },
  tributary_parked_keys: {
    kind: 'gauge',
    help: 'Keys that are not level here: their change could not be stored, or they wait for a row they refer to.',
    worry:
      'Above 0 for an hour: see `tributary parked list`. Only `orphan` mends itself as rows arrive.',
    labels: ['stream', 'table', 'reason'],
  },
  tributary_table_blocked: {
    kind: 'gauge',
    help: 'Whether a stream leaves a table alone: too many of its keys are parked, or rows of it are impossible here.',
    worry:
      '1: at once. `tributary status` says why and what mends it; then the table comes back by itself.',
    labels: ['stream', 'table'],
  },
  tributary_table_partial: {
    kind: 'gauge',
    help: 'Whether rows of a table go in without columns that the child sends and that do not exist here.',
    worry: '1 for a day: the application here is older. `tributary status` shows the ALTER TABLE.',
    labels: ['stream', 'table'],
  },
  tributary_stream_replays_total: {
    kind: 'counter',
    help: 'Parts applied step by step after a set had failed.',
    worry: 'Grows steadily: apply is slower than it could be; the log names the table.',
    labels: ['stream'],
  },
  tributary_stream_connections_total: {
    kind: 'counter',
    help: 'Replication connections opened; the first one included.',
    worry: 'See the reconnects.',
    labels: ['stream'],
  },
  tributary_stream_reconnects_total: {
    kind: 'counter',
    help: 'Replication connections opened after the first.',
    worry: 'Many an hour: the link is bad, or a device on the way cuts idle connections.',
    labels: ['stream'],
  },
  tributary_stream_phase_seconds_total: {
    kind: 'counter',
    help: 'Where the time of a stream goes: network (waiting for the provider), decode, prepare, apply, commit.',
    worry: 'While behind: mostly network means the link, mostly apply or commit this database.',
    labels: ['stream', 'phase'],
  },
} as const satisfies Declarations;
