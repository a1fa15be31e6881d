/** docs/metrics.md, made from the declarations by `npm run docs`; a test holds the file to it. */
import { copyMetrics } from './copy-metrics.ts';
import { databaseMetrics } from './database-metrics.ts';
import type { Declaration, Declarations } from './declaration.ts';
import { nodeMetrics } from './node-metrics.ts';
import { originMetrics } from './origin-metrics.ts';
import { forecastMetrics, probeMetrics } from './probe-metrics.ts';
import { streamMetrics } from './stream-metrics.ts';
import { verifyMetrics } from './verify-metrics.ts';

export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    'Made by `npm run docs` from the declarations in `node/monitor/`. `GET /metrics` answers in the text format of Prometheus.',
    '',
    'Units are in the names (`_seconds`, `_bytes`); what ends in `_total` only grows, from 0 at the start of the process unless it says otherwise. What is',
    'unknown is absent, not 0. Beside these stand `process_*` and `nodejs_*` of the process itself.',
    ...section('The node', nodeMetrics),
    ...section('Streams into this node', streamMetrics),
    ...section('First copies, and tables that are made equal again', copyMetrics),
    ...section('Comparisons', verifyMetrics),
    ...section('Nodes below this one', originMetrics),
    ...section("This node's PostgreSQL", databaseMetrics),
    ...section('Forecasts', forecastMetrics),
    ...section('Applications of the datacentre', probeMetrics),
    '',
  ].join('\n');
}

function section(title: string, declarations: Declarations): readonly string[] {
  return [
    '',
    `## ${title}`,
    '',
    '| metric | labels | what it says | when to worry |',
    '| --- | --- | --- | --- |',
    ...Object.entries(declarations).map(([name, declaration]) => line(name, declaration)),
  ];
}

function line(name: string, { kind, labels, help, worry }: Declaration): string {
  const named = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` (${kind}) | ${named} | ${help} | ${worry} |`;
}
