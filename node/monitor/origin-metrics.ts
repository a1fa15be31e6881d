/**
 * Metrics of the nodes below this one, from what they send upstream like data: nobody can scrape a district behind NAT.
 * They are as old as that origin's heartbeat, and stay at their last value while it is cut off.
 */
import type { Declarations } from './declaration.ts';

export const originMetrics = {
  tributary_origin_info: {
    kind: 'gauge',
    help: 'Always 1; every node below this one by the file in force, its level and the child it comes by.',
    worry: 'An origin without a heartbeat age: nothing was ever heard of it.',
    labels: ['origin', 'level', 'via'],
  },
  tributary_origin_heartbeat_age_seconds: {
    kind: 'gauge',
    help: 'Age of the newest heartbeat of that origin applied here; absent while none came.',
    worry: 'Over what its level may be behind, or absent.',
    labels: ['origin'],
  },
  tributary_origin_complete: {
    kind: 'gauge',
    help: '1: every hop on the way says that nothing of that origin is missing.',
    worry: '0 for hours: figures over this origin are too low.',
    labels: ['origin'],
  },
  tributary_origin_clock_ahead_seconds: {
    kind: 'gauge',
    help: "The clock of that origin's database is at least so much ahead of the one here; absent while nothing proves it.",
    worry:
      'Above a few seconds: freshness over this origin looks better than it is. A clock behind looks like delay.',
    labels: ['origin'],
  },
  tributary_subtree_info: {
    kind: 'gauge',
    help: "Always 1; version and digest of the topology file in force there, by that origin's newest heartbeat.",
    worry: 'A digest other than here for longer than a rollout of the file takes.',
    labels: ['origin', 'version', 'topology'],
  },
  tributary_subtree_disk_total_bytes: {
    kind: 'gauge',
    help: "Size of the disk that holds that origin's PostgreSQL.",
    worry: 'Never by itself; free space is judged against it.',
    labels: ['origin'],
  },
  tributary_subtree_disk_free_bytes: {
    kind: 'gauge',
    help: "Free space on the disk that holds that origin's PostgreSQL.",
    worry: 'Under a tenth of the size, or used up within a day at the rate of the last hours.',
    labels: ['origin'],
  },
  tributary_subtree_wal_directory_bytes: {
    kind: 'gauge',
    help: "Size of pg_wal of that origin's PostgreSQL; absent without the right to see it.",
    worry: 'Grows for hours: a slot keeps the log.',
    labels: ['origin'],
  },
  tributary_subtree_slot_active: {
    kind: 'gauge',
    help: '1: a replication slot there is in use.',
    worry: '0 while its parent should be connected; log piles up there.',
    labels: ['origin', 'slot_name'],
  },
  tributary_subtree_slot_retained_bytes: {
    kind: 'gauge',
    help: 'Log retained by a slot there.',
    worry: 'Grows for hours.',
    labels: ['origin', 'slot_name'],
  },
  tributary_subtree_slot_safe_wal_bytes: {
    kind: 'gauge',
    help: 'Log that can still be written there before the slot may be lost; absent without a bound.',
    worry: 'Used up within a day at the rate of the last hours.',
    labels: ['origin', 'slot_name'],
  },
  tributary_subtree_slot_wal_status: {
    kind: 'gauge',
    help: 'wal_status of a slot there: 1 for the one it has, 0 for the others.',
    worry: 'unreserved: about to be lost. lost: the copy has to be compared again.',
    labels: ['origin', 'slot_name', 'wal_status'],
  },
  tributary_subtree_stream_state: {
    kind: 'gauge',
    help: 'State of a stream into that origin: 1 for the one it is in, 0 for the others.',
    worry: 'person: at once.',
    labels: ['origin', 'stream', 'state'],
  },
  tributary_subtree_findings: {
    kind: 'gauge',
    help: "What that origin's watch over publication, identities and slots found amiss, by code.",
    worry: 'identity_lost above 0: the application there can not change its rows.',
    labels: ['origin', 'code', 'severity'],
  },
  tributary_subtree_offline_seconds: {
    kind: 'gauge',
    help: 'How long that origin may be cut off from its parent, by its own forecast at its newest heartbeat.',
    worry: 'Less than an outage of its link usually lasts.',
    labels: ['origin'],
  },
  tributary_subtree_disk_seconds_left: {
    kind: 'gauge',
    help: "Until that origin's disk is full, by its own forecast; absent while it does not fill.",
    worry: 'Less than it takes to bring a larger one.',
    labels: ['origin'],
  },
  tributary_subtree_probe_up: {
    kind: 'gauge',
    help: '1: an application of that datacentre answered when it was last asked there.',
    worry: '0 for some minutes: people there can not work with it.',
    labels: ['origin', 'probe'],
  },
  tributary_subtree_probe_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'Unix time at which the certificate of an application there ends.',
    worry: 'Less than two weeks ahead: nobody renews it.',
    labels: ['origin', 'probe'],
  },
} as const satisfies Declarations;
