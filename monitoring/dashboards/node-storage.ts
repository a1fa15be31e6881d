/** Slots, log and disk of one node, and how long they last. */
import type { Row, Threshold } from './panel.ts';

const daysLeft: readonly Threshold[] = [
  { value: null, color: 'red' },
  { value: 86_400, color: 'orange' },
  { value: 604_800, color: 'green' },
];

export const forecasts: Row = {
  title: 'Forecasts, at the rate of the last hours',
  height: 5,
  panels: [
    {
      kind: 'stat',
      title: 'Until a slot is given up',
      description:
        'At the rate at which the distance to its bound shrank in the last hour. Nothing: it is read and not far behind, or no bound is set.',
      unit: 's',
      width: 8,
      thresholds: daysLeft,
      queries: [
        {
          expr: 'tributary:slot_seconds_left{node="$node"}',
          legend: '{{slot_name}}',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'Until the disk is full',
      description:
        'By the forecast of the node itself, at the rate of the last day. Nothing: it does not fill.',
      unit: 's',
      width: 8,
      thresholds: daysLeft,
      queries: [
        {
          expr: 'tributary:disk_seconds_left{node="$node"}',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'How long this node may be offline',
      description:
        'From now, if as much is written as in the last day, until the log for its parent is given up; where no bound is set, until the disk is full.',
      unit: 's',
      width: 8,
      thresholds: daysLeft,
      queries: [
        {
          expr: 'tributary:offline_seconds{node="$node"}',
        },
      ],
    },
  ],
};

export const storage: Row = {
  title: 'Slots, log and disk',
  height: 9,
  panels: [
    {
      kind: 'timeseries',
      title: 'Log retained by slots',
      description: 'Grows while the subscriber is away. Runbook TributarySlotInactive.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: 'tributary:slot_retained_bytes{node="$node"}', legend: '{{slot_name}} retained' },
        {
          expr: 'tributary:slot_safe_wal_bytes{node="$node"}',
          legend: '{{slot_name}} until given up',
        },
      ],
    },
    {
      kind: 'state-timeline',
      title: 'Slots in use',
      description: 'Whether somebody reads each slot.',
      unit: 'short',
      width: 8,
      words: [
        { value: 0, text: 'not in use', color: 'orange' },
        { value: 1, text: 'in use', color: 'green' },
      ],
      queries: [{ expr: 'tributary:slot_active{node="$node"}', legend: '{{slot_name}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Disk and log',
      description:
        'Free space on the disk of this PostgreSQL, and the size of pg_wal. Runbooks TributaryDiskFilling, TributaryLogFilling.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: 'tributary:disk_free_bytes{node="$node"}', legend: 'free' },
        { expr: 'tributary:wal_directory_bytes{node="$node"}', legend: 'pg_wal' },
      ],
    },
  ],
};
