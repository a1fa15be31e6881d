/** The states that become labels: each is always there, 1 for the one that holds, 0 for the others. */
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

/** pg_replication_slots.wal_status. */
export const walStatuses = ['reserved', 'extended', 'unreserved', 'lost'] as const;

/** tributary.reconcile.state. */
export const copyStates = ['wanted', 'running', 'held', 'failed', 'done'] as const;
