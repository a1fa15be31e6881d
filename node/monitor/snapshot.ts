/** Everything status, metrics and heartbeat are made of, taken at one moment. */
import type { NodeConfig, Topology } from '../config/model.ts';
import type { TributaryError } from '../errors.ts';
import type { LeaderState } from '../supervise/leader.ts';
import type { StreamReport } from '../supervise/stream-report.ts';
import type { Finding } from './finding.ts';
import { forecast, type Forecast } from './forecast.ts';
import type { Probe } from './probe-loop.ts';
import type { Sample } from './sample.ts';

export interface Snapshot {
  readonly topology: Topology;
  readonly node: NodeConfig;
  readonly version: string;
  /** null: made from the database by a command, no process runs. */
  readonly pid: number | null;
  /** Problems of the topology file last read; empty: it is in force. */
  readonly topologyProblems: readonly string[];
  readonly leader: LeaderState | 'none';
  /** Leading, and the streams run. */
  readonly serving: boolean;
  /** Why this process does not serve. */
  readonly problem: TributaryError | null;
  readonly streams: readonly StreamReport[];
  readonly sample: Sample;
  readonly findings: readonly Finding[];
  /** Applications of the datacentre, as last asked. */
  readonly probes: readonly Probe[];
  /** Walsenders past their log bound that this process ended. */
  readonly walsendersEnded: number;
}

/** Time since the sample was taken goes on the ages: a database that stopped answering does not make them stand still. */
export function ageNow(sample: Sample, ageSeconds: number | null): number | null {
  if (ageSeconds === null || sample.at === null) {
    return null;
  }
  return Math.max(0, ageSeconds + (performance.now() - sample.at) / 1000);
}

export function forecastOf({ node, sample }: Snapshot): Forecast {
  const { rates, slots, disk } = sample;
  return forecast({ rates, slots, disk, parent: node.parent });
}
