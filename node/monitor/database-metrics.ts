/** Metrics of this node's own PostgreSQL as a provider: what its slots hold and how far they are from their end. */
import { slotLabels, type Declarations } from './declaration.ts';

export const databaseMetrics = {
  tributary_replication_slots_active: {
    kind: 'gauge',
    help: "1: a replication slot of this node's PostgreSQL is in use.",
    worry: '0 for longer than the link is usually down: log piles up here.',
    labels: slotLabels,
  },
  tributary_replication_slots_retained_bytes: {
    kind: 'gauge',
    help: 'Log retained by a slot.',
    worry: 'Grows for hours.',
    labels: slotLabels,
  },
  tributary_replication_slots_unconfirmed_bytes: {
    kind: 'gauge',
    help: 'Log the subscriber of a slot has not confirmed.',
    worry:
      'Grows for hours. Small while retained is large: an open transaction here holds the log.',
    labels: slotLabels,
  },
  tributary_replication_slots_safe_wal_bytes: {
    kind: 'gauge',
    help: 'Log that can still be written before a slot may be lost; absent without a bound.',
    worry: 'Used up within a day at the rate of the last hours.',
    labels: slotLabels,
  },
  tributary_replication_slots_wal_status: {
    kind: 'gauge',
    help: 'wal_status of a slot: 1 for the one it has, 0 for the others.',
    worry: 'unreserved: about to be lost. lost: the parent has to compare its copy again.',
    labels: [...slotLabels, 'wal_status'],
  },
  tributary_walsenders_ended_total: {
    kind: 'counter',
    help: 'Walsenders past their log bound that this process ended because their client did not read.',
    worry: 'Above 0: the parent stopped reading for long, and its slot here is lost or nearly so.',
    labels: [],
  },
  tributary_wal_written_bytes_total: {
    kind: 'counter',
    help: "Log written by this node's PostgreSQL since its cluster was made: the position of its end.",
    worry: 'Grows far faster than usual: the log that a slot may keep lasts that much shorter.',
    labels: [],
  },
  tributary_wal_directory_bytes: {
    kind: 'gauge',
    help: "Size of pg_wal of this node's PostgreSQL; absent without the right to see it.",
    worry: 'At its present growth larger than the free disk within a day.',
    labels: [],
  },
} as const satisfies Declarations;
