/** One node: its streams, what they spend their time on, its slots, log and disk, and how long these last. */
import { forecasts, storage } from './node-storage.ts';
import type { Dashboard, Row } from './panel.ts';
import { streamStates } from './stream-states.ts';

const yesIsWell = [
  { value: 0, text: 'no', color: 'red' },
  { value: 1, text: 'yes', color: 'green' },
] as const;

const wordColors = [
  { value: null, color: 'red' },
  { value: 1, color: 'green' },
] as const;

const summary: Row = {
  title: 'At a glance',
  height: 4,
  panels: [
    ...(
      [
        ['Serves', 'tributary_ready', 'No for some minutes: runbook TributaryNodeNotReady.'],
        ['Database answers', 'tributary_database_up', 'No: runbook TributaryDatabaseDown.'],
        [
          'Topology file taken',
          'tributary_topology_valid',
          'No: the file last read was refused; runbook TributaryTopologyInvalid.',
        ],
      ] as const
    ).map(([title, metric, description]) => ({
      kind: 'stat' as const,
      title,
      description,
      unit: 'short' as const,
      width: 4,
      words: yesIsWell,
      thresholds: wordColors,
      queries: [{ expr: `max(${metric}{node="$node"})` }],
    })),
    {
      kind: 'table',
      title: 'Findings',
      description:
        'What prepare made and no longer stands, by code; `tributary status` there names object and statement. identity_lost: the application can not change rows, act at once.',
      unit: 'short',
      width: 12,
      columns: ['code', 'severity'],
      valueTitle: 'objects',
      queries: [{ expr: 'tributary:findings{node="$node"}' }],
    },
  ],
};

const streams: Row = {
  title: 'Streams into this node',
  height: 9,
  panels: [
    streamStates('node="$node", ', 8),
    {
      kind: 'timeseries',
      title: 'Where the time goes',
      description:
        'Seconds a second by phase. While behind: mostly network means the link, mostly apply or commit this database.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'sum by (stream, phase) (rate(tributary_stream_phase_seconds_total{node="$node"}[$__rate_interval]))',
          legend: '{{stream}} {{phase}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Behind',
      description:
        'The log of the child not yet received, applied, confirmed. Received rises: the link. Applied alone rises: this database.',
      unit: 'bytes',
      width: 8,
      queries: ['received', 'applied', 'confirmed'].map((step) => ({
        expr: `max by (stream) (tributary_stream_${step}_lag_bytes{node="$node"})`,
        legend: `{{stream}} not ${step}`,
      })),
    },
  ],
};

const rows: Row = {
  title: 'Rows',
  height: 9,
  panels: [
    {
      kind: 'timeseries',
      title: 'Rows applied a second',
      description:
        'By table and operation. Deletes far above the usual: somebody withdraws a lot at the child.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: 'sum by (table, operation) (rate(tributary_stream_rows_applied_total{node="$node"}[$__rate_interval]))',
          legend: '{{table}} {{operation}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Transactions applied a second',
      description: 'Stands still while bytes arrive: one large transaction, or a lock here.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: 'sum by (stream) (rate(tributary_stream_transactions_applied_total{node="$node"}[$__rate_interval]))',
          legend: '{{stream}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Conflicts and replays in the last hour',
      description:
        'Conflicts in quiet times: somebody writes here to rows that are entered elsewhere. Replays: apply is slower than it could be.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'sum by (conflict_type, table) (increase(tributary_stream_conflicts_total{node="$node"}[1h]))',
          legend: '{{conflict_type}} {{table}}',
        },
        {
          expr: 'sum by (stream) (increase(tributary_stream_replays_total{node="$node"}[1h]))',
          legend: 'replays {{stream}}',
        },
      ],
    },
  ],
};

const copies: Row = {
  title: 'First copies and repairs',
  height: 8,
  panels: [
    {
      kind: 'bargauge',
      title: 'Copy progress',
      description:
        'Share of the rows the child is thought to have, of tables not equal yet. Nothing: all are. Stands still for long: `tributary status` names the reason.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: 'max by (stream, table) (tributary_copy_rows{node="$node"} / (tributary_copy_estimated_rows{node="$node"} > 0)) and on (stream, table) (tributary_copy_state{node="$node", state="done"} == 0)',
          legend: '{{stream}} {{table}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Rows copied',
      description:
        'That came in full, of each table since its copy began. A proof that finds nothing stays at 0.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'max by (stream, table) (tributary_copy_sent_rows{node="$node"})',
          legend: '{{stream}} {{table}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Rows that differ',
      description:
        'Found by the last comparison of each table. More than none: runbook TributaryRowsDiffer. Nothing: no table was compared yet.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'max by (stream, table) (tributary_verify_differing_rows{node="$node"})',
          legend: '{{stream}} {{table}}',
        },
      ],
    },
  ],
};

const processRow: Row = {
  title: 'The process',
  height: 7,
  panels: [
    {
      kind: 'timeseries',
      title: 'Memory',
      description: 'Of the process, without PostgreSQL. Rises for days: report it.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: 'process_resident_memory_bytes{node="$node"}', legend: '{{instance}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Processor',
      description: 'Seconds a second, of one processor.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'rate(process_cpu_seconds_total{node="$node"}[$__rate_interval])',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Delay of the event loop, open files',
      description:
        'Delay above a second: the process has no processor. Open files rise for days: report it.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: 'nodejs_eventloop_lag_p99_seconds{node="$node"}', legend: 'delay, seconds' },
        { expr: 'process_open_fds{node="$node"}', legend: 'open files' },
      ],
    },
  ],
};

export const node: Dashboard = {
  uid: 'tributary-node',
  title: 'Node',
  description:
    'One node. Of a node that can not be scraped only what its heartbeats tell is known: states, findings, slots, log and disk.',
  variables: [
    { name: 'node', label: 'Node', from: { series: 'tributary:topology', label: 'node' } },
  ],
  rows: [summary, streams, copies, rows, forecasts, storage, processRow],
};
