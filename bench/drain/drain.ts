/**
 * How fast a backlog is drained: in each round the provider makes one backlog while every side is held back, then each
 * drains it, one after the other, in an order that turns from round to round. Afterwards every side is compared.
 */
import type { Benchmark, BenchOptions, Section } from '../benchmark.ts';
import { serverSettings, startServer } from '../server.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { assertEqual } from './compare.ts';
import { Course } from './course.ts';
import { type Lap, runIn, runLap } from './lap.ts';
import { NativeSide } from './native-side.ts';
import type { Side } from './side.ts';
import { drainSection, type Round } from './summary.ts';
import { TributarySide } from './tributary-side.ts';
import { callsOf, type Workload, workloads } from './workload.ts';

export const drain: Benchmark = {
  name: 'drain',
  async run(options: BenchOptions, say): Promise<Section> {
    await using provider = await startServer();
    await using subscriber = await startServer();
    const rounds: Round[] = [];
    const chosen = workloads.filter(({ name }) => options.workloads?.includes(name) ?? true);
    for (const workload of chosen) {
      for (let round = 0; round < options.pairs; round += 1) {
        const place = { provider, subscriber, round, options, say };
        rounds.push({ workload, laps: await runRound(workload, place) });
      }
    }
    return drainSection(rounds, serverSettings);
  },
};

interface Place {
  readonly provider: Cluster;
  readonly subscriber: Cluster;
  readonly round: number;
  readonly options: BenchOptions;
  readonly say: (line: string) => void;
}

async function runRound(workload: Workload, place: Place): Promise<readonly Lap[]> {
  const { round, options, say } = place;
  await using course = await Course.create(place.provider, `r${round}_${workload.name}`);
  await using stack = new AsyncDisposableStack();
  const sides = sidesOf(course, place).map((side) => stack.use(side));
  for (const side of sides) {
    await side.start();
    if (side instanceof TributarySide) {
      await course.publishForNative();
    }
  }
  const calls = callsOf(workload, options.scale);
  const before = await course.work(calls.before);
  for (const side of sides) {
    await runIn(side, course, before);
  }
  const marker = await course.work(calls.backlog);
  const laps: Lap[] = [];
  for (const side of turned(sides, round)) {
    const lap = await runLap(side, course, marker);
    const rows = await assertEqual(course.url, side.url);
    say(
      `${workload.name} ${round + 1}/${options.pairs} ${side.name}: ${lap.wallSeconds.toFixed(2)} s, ` +
        `processor ${(lap.backendCpu + lap.nodeCpu).toFixed(2)} s (node ${lap.nodeCpu.toFixed(2)}), ${rows} rows equal`,
    );
    laps.push(lap);
  }
  return laps;
}

/** Tributary first: its `prepare` makes the replica identity that every side stands on. */
function sidesOf(course: Course, { subscriber: cluster, options }: Place): readonly Side[] {
  const native = (format: 'text' | 'binary', synchronousCommit: 'off' | 'on'): Side =>
    new NativeSide({ course, cluster, format, synchronousCommit });
  return [
    new TributarySide({ course, cluster, profile: options.profile }),
    native('text', 'off'),
    native('binary', 'off'),
    native('binary', 'on'),
  ];
}

function turned(sides: readonly Side[], by: number): readonly Side[] {
  const at = by % sides.length;
  return [...sides.slice(at), ...sides.slice(0, at)];
}
