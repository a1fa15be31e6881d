/** Which names of an expression nobody exports: a renamed metric must not leave an alert or a panel silent. */
import { declarations } from '../node/monitor/registry.ts';
import type { Declarations } from '../node/monitor/declaration.ts';
import { selectorsOf, type Selector } from './promql.ts';

/** What Prometheus adds to every series of a target. */
const targetLabels = ['job', 'instance', 'node'];

/** Of the process itself, by prom-client. */
const processMetrics = [
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'process_open_fds',
  'nodejs_eventloop_lag_p99_seconds',
];

/** `recorded`: names that recording rules make. One line per unknown metric or label. @throws Error: not PromQL. */
export function unknownNames(expression: string, recorded: ReadonlySet<string>): string[] {
  return selectorsOf(expression).flatMap((selector) => unknownOf(selector, recorded));
}

function unknownOf({ metric, labels }: Selector, recorded: ReadonlySet<string>): string[] {
  if (metric === 'up' || recorded.has(metric) || processMetrics.includes(metric)) {
    return [];
  }
  const all: Declarations = declarations;
  const declaration = Object.entries(all).find(([name]) => name === metric)?.[1];
  if (!declaration) {
    return [metric];
  }
  const known = [...declaration.labels, ...targetLabels];
  return labels.filter((label) => !known.includes(label)).map((label) => `${metric}{${label}}`);
}
