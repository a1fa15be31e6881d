/**
 * Every metric of the node, declared once. Base units in the names, counters end in `_total` and start at 0, what is
 * unknown is absent. Label values are bounded: nodes, tables, states, phases, slots.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { copyMetrics } from './copy-metrics.ts';
import { databaseMetrics } from './database-metrics.ts';
import type { Declarations } from './declaration.ts';
import { nodeMetrics } from './node-metrics.ts';
import { originMetrics } from './origin-metrics.ts';
import { forecastMetrics, probeMetrics } from './probe-metrics.ts';
import { streamMetrics } from './stream-metrics.ts';
import { verifyMetrics } from './verify-metrics.ts';

/** Every metric of the node, in the order of its page. */
export const declarations = {
  ...nodeMetrics,
  ...streamMetrics,
  ...copyMetrics,
  ...verifyMetrics,
  ...originMetrics,
  ...databaseMetrics,
  ...forecastMetrics,
  ...probeMetrics,
} as const satisfies Declarations;

export type MetricName = keyof typeof declarations;

export type Labels = Readonly<Record<string, string>>;

/** A registry of one process; values are set anew from a snapshot before each scrape. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #metrics: ReadonlyMap<MetricName, Counter | Gauge>;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#metrics = new Map(
      (Object.keys(declarations) as MetricName[]).map((name) => [name, this.#declare(name)]),
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Forgets the values of the snapshot before; process and event loop keep theirs. */
  clear(): void {
    for (const [name, metric] of this.#metrics) {
      metric.reset();
      if (declarations[name].labels.length === 0) {
        metric.remove();
      }
    }
  }

  /** Sets a gauge, or a counter to what it has counted so far. Null and undefined: unknown, the series is absent. */
  set(
    name: MetricName,
    value: number | bigint | boolean | null | undefined,
    labels: Labels = {},
  ): void {
    if (value === null || value === undefined) {
      return;
    }
    const metric = this.#metrics.get(name);
    const number = Number(value);
    if (metric instanceof Counter) {
      metric.inc(labels, number);
    } else {
      metric?.set(labels, number);
    }
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  #declare(name: MetricName): Counter | Gauge {
    const { kind, help, labels } = declarations[name];
    const configuration = { name, help, labelNames: [...labels], registers: [this.#registry] };
    return kind === 'counter' ? new Counter(configuration) : new Gauge(configuration);
  }
}
