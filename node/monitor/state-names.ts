/** The states that become labels: each is always there, 1 for the one that holds, 0 for the others. */
import type { StreamFailure } from '../supervise/stream-report.ts';
import type { StreamState } from '../supervise/stream-state.ts';

const states = {
  starting: true,
  proving: true,
  streaming: true,
  retrying: true,
  person: true,
  paused: true,
  stopped: true,
} as const satisfies Record<StreamState, true>;

export const streamStates = Object.keys(states);

type DoubtName = StreamFailure['doubts'][number]['name'];

const doubts = {
  node_name_differs: true,
  system_identifier_differs: true,
  timeline_forked: true,
  log_behind: true,
  publication_missing: true,
  publication_recreated: true,
  slot_missing: true,
  slot_lost: true,
  slot_foreign: true,
  slot_ahead: true,
  witness_missing: true,
  log_differs: true,
  transaction_cut: true,
} as const satisfies Record<DoubtName, true>;

export const doubtNames = Object.keys(doubts);

/** pg_replication_slots.wal_status. */
export const walStatuses = ['reserved', 'extended', 'unreserved', 'lost'] as const;

/** tributary.reconcile.state. */
export const copyStates = ['wanted', 'running', 'held', 'failed', 'done'] as const;
