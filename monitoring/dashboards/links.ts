/** The links between nodes and their children: what they carry, how often they break, what they are waiting for. */
import type { Dashboard, Row } from './panel.ts';
import { streamStates } from './stream-states.ts';

const legend = '{{node}} from {{stream}}';

const carried: Row = {
  title: 'What the links carry',
  height: 9,
  panels: [
    {
      kind: 'timeseries',
      title: 'Bytes a second',
      description:
        'Received from each child. Stands still while the heartbeats of the child grow old: the link is cut.',
      unit: 'Bps',
      width: 9,
      queries: [
        {
          expr: 'sum by (node, stream) (rate(tributary_stream_received_bytes_total[$__rate_interval]))',
          legend,
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Rows a second',
      description: 'Row changes applied, as the child sent them.',
      unit: 'ops',
      width: 9,
      queries: [
        {
          expr: 'sum by (node, stream) (rate(tributary_stream_rows_applied_total[$__rate_interval]))',
          legend,
        },
      ],
    },
    {
      kind: 'bargauge',
      title: 'Bytes in the last 24 hours',
      description: 'What a link that is paid by volume costs.',
      unit: 'bytes',
      width: 6,
      queries: [
        {
          expr: 'sort_desc(sum by (node, stream) (increase(tributary_stream_received_bytes_total[24h])))',
          legend,
        },
      ],
    },
  ],
};

const breaks: Row = {
  title: 'How often they break',
  height: 9,
  panels: [
    streamStates('', 12),
    {
      kind: 'timeseries',
      title: 'Reconnects in the last hour',
      description: 'Many an hour: the link is bad, or a device on the way cuts idle connections.',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: 'sum by (node, stream) (increase(tributary_stream_reconnects_total[1h]))',
          legend,
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Age of the last heartbeat of the child itself',
      description: 'How long nothing has come over this link.',
      unit: 's',
      width: 6,
      queries: [
        {
          expr: 'min by (node, origin) (tributary_origin_heartbeat_age_seconds and on (instance, origin) label_replace(tributary_stream_state, "origin", "$1", "stream", "(.+)"))',
          legend: '{{node}} from {{origin}}',
        },
      ],
    },
  ],
};

const behind: Row = {
  title: 'How far they are behind',
  height: 9,
  panels: [
    {
      kind: 'timeseries',
      title: 'Not yet confirmed, as the child sees it',
      description:
        'The log of each child its parent has not confirmed, asked at the child: the parent can not know what has not arrived. Rises for hours: the link carries less than the child writes.',
      unit: 'bytes',
      width: 8,
      queries: [
        {
          expr: 'max by (node, slot_name) (tributary_replication_slots_unconfirmed_bytes{slot_name=~"tributary_.+"})',
          legend: '{{node}} {{slot_name}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Received and waiting',
      description: 'At its bound all the time: the database above is slower than the link.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: 'max by (node, stream) (tributary_stream_queued_bytes)', legend }],
    },
    {
      kind: 'timeseries',
      title: 'Share of the time spent waiting for the link',
      description:
        'While behind: near 1 means that the link is the limit, near 0 the database above.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: 'sum by (node, stream) (rate(tributary_stream_phase_seconds_total{phase="network"}[$__rate_interval])) / sum by (node, stream) (rate(tributary_stream_phase_seconds_total[$__rate_interval]))',
          legend,
        },
      ],
    },
  ],
};

export const links: Dashboard = {
  uid: 'tributary-links',
  title: 'Links',
  description: 'Bytes, rows, breaks and delay of every link between a node and a child.',
  variables: [],
  rows: [carried, breaks, behind],
};
