/** The whole tree: which node is how, and how old the figures over each origin are, worst first. */
import type { Dashboard, Row } from './panel.ts';
import { streamStates } from './stream-states.ts';

const zeroIsWell = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
] as const;

const ages = [
  { value: null, color: 'green' },
  { value: 600, color: 'yellow' },
  { value: 3600, color: 'orange' },
  { value: 14_400, color: 'red' },
] as const;

const summary: Row = {
  title: 'At a glance',
  height: 4,
  panels: [
    {
      kind: 'stat',
      title: 'Nodes that do not answer',
      description: 'Of those Prometheus can scrape. Above 0: runbook TributaryNodeDown.',
      unit: 'short',
      width: 5,
      thresholds: zeroIsWell,
      queries: [{ expr: 'count(max by (node) (up{job="tributary"}) == 0) or vector(0)' }],
    },
    {
      kind: 'stat',
      title: 'Streams that do not run',
      description:
        'Above 0 for longer than links are usually down: runbook TributaryStreamNotRunning.',
      unit: 'short',
      width: 5,
      thresholds: zeroIsWell,
      queries: [
        {
          expr: 'count(max by (node, stream) (tributary:stream_state{state="streaming"}) == 0) or vector(0)',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'Oldest figures',
      description: 'The greatest age of any origin at any node above it.',
      unit: 's',
      width: 5,
      thresholds: ages,
      queries: [{ expr: 'max(tributary:origin_age_seconds)' }],
    },
    {
      kind: 'stat',
      title: 'Origins not complete',
      description:
        'Origins of which rows may be missing somewhere above: figures over them are too low.',
      unit: 'short',
      width: 5,
      thresholds: zeroIsWell,
      queries: [
        {
          expr: 'count(count by (origin) (tributary_origin_complete == 0 and on (instance, origin) tributary_origin_info)) or vector(0)',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'Alerts that fire',
      description: 'The list stands below; each alert names its runbook.',
      unit: 'short',
      width: 4,
      thresholds: zeroIsWell,
      queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)' }],
    },
  ],
};

const tree: Row = {
  title: 'The tree',
  height: 10,
  panels: [
    streamStates('', 14),
    {
      kind: 'table',
      title: 'Nodes and what runs there',
      description:
        'Every node that is known, also those behind NAT, by version and topology file in force. More than one digest for longer than a rollout: runbook TributaryTopologiesDiffer.',
      unit: 'short',
      width: 10,
      columns: ['node', 'topology'],
      valueTitle: 'known',
      words: [{ value: 1, text: 'yes', color: 'green' }],
      queries: [{ expr: 'tributary:topology' }],
    },
  ],
};

const freshness: Row = {
  title: 'Freshness',
  height: 10,
  panels: [
    {
      kind: 'bargauge',
      title: 'Age of the figures per origin, worst first',
      description:
        'The age of the newest heartbeat applied, at the node where it is oldest. An origin that was never heard of has no bar: see the table beside.',
      unit: 's',
      width: 9,
      thresholds: ages,
      queries: [
        {
          expr: 'sort_desc(max by (origin) (tributary:origin_age_seconds))',
          legend: '{{origin}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Age of the figures over time',
      description:
        'Rises by a second each second while an origin is cut off, and falls when it is back.',
      unit: 's',
      width: 9,
      queries: [{ expr: 'tributary:origin_age_seconds', legend: '{{origin}} at {{node}}' }],
    },
    {
      kind: 'table',
      title: 'Never heard of',
      description: 'Origins of the topology file without any heartbeat yet: unknown, not fresh.',
      unit: 'short',
      width: 6,
      columns: ['node', 'origin', 'level'],
      valueTitle: 'unknown',
      queries: [
        {
          expr: 'max by (node, origin, level) (tributary_origin_info unless on (instance, origin) tributary_origin_heartbeat_age_seconds)',
        },
      ],
    },
  ],
};

const limits: Row = {
  title: 'Disks, slots and alerts',
  height: 9,
  panels: [
    {
      kind: 'bargauge',
      title: 'Free disk, least first',
      description:
        "Share of the disk under each node's PostgreSQL, as of its heartbeat where it can not be scraped.",
      unit: 'percentunit',
      width: 8,
      thresholds: [
        { value: null, color: 'red' },
        { value: 0.1, color: 'yellow' },
        { value: 0.25, color: 'green' },
      ],
      queries: [
        {
          expr: 'sort(tributary:disk_free_bytes / tributary:disk_total_bytes)',
          legend: '{{node}}',
        },
      ],
    },
    {
      kind: 'bargauge',
      title: 'Log retained by slots, most first',
      description:
        'Grows while the parent is away. Runbooks TributarySlotInactive, TributarySlotAtRisk.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: 'sort_desc(tributary:slot_retained_bytes)', legend: '{{node}} {{slot_name}}' },
      ],
    },
    {
      kind: 'table',
      title: 'Alerts that fire, by name',
      description: 'The runbook of an alert is docs/runbooks/NAME.md.',
      unit: 'short',
      width: 8,
      columns: ['alertname', 'node', 'origin', 'stream', 'slot_name', 'severity'],
      valueTitle: 'fires',
      queries: [{ expr: 'ALERTS{alertstate="firing"}' }],
    },
  ],
};

const applications: Row = {
  title: 'Applications, certificates and endurance',
  height: 9,
  panels: [
    {
      kind: 'table',
      title: 'Applications',
      description:
        'What the topology file names under `probes`, asked by the node beside it. Runbook TributaryApplicationDown.',
      unit: 'short',
      width: 8,
      columns: ['node', 'probe'],
      valueTitle: 'online',
      words: [
        { value: 0, text: 'down', color: 'red' },
        { value: 1, text: 'online', color: 'green' },
      ],
      queries: [{ expr: 'tributary:probe_up' }],
    },
    {
      kind: 'bargauge',
      title: 'Certificates end, soonest first',
      description: 'Under two weeks: runbook TributaryCertificateExpiring.',
      unit: 's',
      width: 8,
      thresholds: [
        { value: null, color: 'red' },
        { value: 1_209_600, color: 'green' },
      ],
      queries: [
        {
          expr: 'sort(tributary:certificate_expiry_timestamp_seconds - time())',
          legend: '{{node}} {{probe}}',
        },
      ],
    },
    {
      kind: 'bargauge',
      title: 'How long a node may be cut off, least first',
      description:
        'By its own forecast at the rate of its last day: longer, and its parent has to compare the copies.',
      unit: 's',
      width: 8,
      thresholds: [
        { value: null, color: 'red' },
        { value: 86_400, color: 'orange' },
        { value: 604_800, color: 'green' },
      ],
      queries: [{ expr: 'sort(tributary:offline_seconds)', legend: '{{node}}' }],
    },
  ],
};

export const network: Dashboard = {
  uid: 'tributary-network',
  title: 'Network',
  description: 'The tree, the state of every node, and the age of the figures over every origin.',
  variables: [],
  rows: [summary, tree, freshness, limits, applications],
};
