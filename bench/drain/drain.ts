/**
 * How fast a backlog is drained: in each round the provider makes one backlog while every side is held back, then each
 * drains it, one after the other, in an order that turns from round to round. Afterwards every side is compared.
 */
import type { Benchmark, BenchOptions, Section } from '../benchmark.ts';
import { hasPglogical, serverSettings, startServer, startWithPglogical } from '../server.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { compare } from './compare.ts';
import { Course } from './course.ts';
import { type Lap, runIn, runLap } from './lap.ts';
import { NativeSide } from './native-side.ts';
import { PglogicalSide } from './pglogical-side.ts';
import type { Side } from './side.ts';
import { drainSection, type Round } from './summary.ts';
import { TributarySide } from './tributary-side.ts';
import { callsOf, type Workload, workloads } from './workload.ts';

export const drain: Benchmark = {
  name: 'drain',
  async run(options: BenchOptions, say): Promise<Section> {
    const rounds: Round[] = [];
    const chosen = workloads.filter(({ name }) => options.workloads?.includes(name) ?? true);
    const pglogical = hasPglogical(options.major);
    const start = pglogical ? startWithPglogical : startServer;
    for (const workload of chosen) {
      for (let round = 0; round < options.pairs; round += 1) {
        // Of a round, for where pglogical has been ended once, its next subscription waits for more than a minute.
        await using provider = await start(options.major);
        await using subscriber = await start(options.major);
        const place = { provider, subscriber, pglogical, round, options, say };
        rounds.push({ workload, laps: await runRound(workload, place) });
      }
    }
    return drainSection(rounds, serverSettings);
  },
};

interface Place {
  readonly provider: Cluster;
  readonly subscriber: Cluster;
  readonly pglogical: boolean;
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
    const ran = await runLap(side, course, marker);
    const { rows, differing } = await compare(course.url, side.url);
    if (differing.length > 0 && !side.mayDiffer) {
      throw new Error(`${side.name}: ${differing.length} rows differ, among them ${differing[0]}`);
    }
    const lap = { ...ran, differing: differing.length };
    say(
      `${workload.name} ${round + 1}/${options.pairs} ${side.name}: ${lap.wallSeconds.toFixed(2)} s, ` +
        `processor ${(lap.backendCpu + lap.nodeCpu).toFixed(2)} s (node ${lap.nodeCpu.toFixed(2)}), ${lap.differing} of ${rows} rows differ`,
    );
    laps.push(lap);
  }
  return laps;
}

/** Tributary first: its `prepare` makes the replica identity that every side stands on. */
function sidesOf(
  course: Course,
  { subscriber: cluster, pglogical, options }: Place,
): readonly Side[] {
  const native = (format: 'text' | 'binary', synchronousCommit: 'off' | 'on'): Side =>
    new NativeSide({ course, cluster, format, synchronousCommit });
  return [
    new TributarySide({ course, cluster, profile: options.profile }),
    native('text', 'off'),
    native('binary', 'off'),
    native('binary', 'on'),
    ...(pglogical ? [new PglogicalSide({ course, cluster })] : []),
  ];
}

function turned(sides: readonly Side[], by: number): readonly Side[] {
  const at = by % sides.length;
  return [...sides.slice(at), ...sides.slice(0, at)];
}
