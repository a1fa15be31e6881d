/**
 * A table is copied for the first time, by PostgreSQL's own subscription and by ours, in turn; then ours is made equal once
 * more, which is a comparison that finds no difference.
 */
import { roles } from '../../node/testing/database.ts';
import type { Benchmark, BenchOptions, Section, Target } from '../benchmark.ts';
import { assertEqual } from '../drain/compare.ts';
import { Course } from '../drain/course.ts';
import { NativeSide } from '../drain/native-side.ts';
import type { Side } from '../drain/side.ts';
import { TributarySide } from '../drain/tributary-side.ts';
import { serverSettings, startServer } from '../server.ts';
import { median } from '../statistics.ts';
import { type Copied, copyNative, copyOurs, reconcileOurs } from './copied.ts';

const rows = 1_000_000;

interface Round {
  readonly native: Copied;
  readonly ours: Copied;
  readonly equal: Copied;
}

export const copy: Benchmark = {
  name: 'copy',
  async run(options: BenchOptions, say): Promise<Section> {
    await using provider = await startServer(options.major);
    await using subscriber = await startServer(options.major);
    const rounds: Round[] = [];
    for (let round = 0; round < options.pairs; round += 1) {
      const made = await runRound({ provider, subscriber, round, options });
      rounds.push(made);
      for (const [what, { seconds, bytes }] of Object.entries(made) as [string, Copied][]) {
        const sent = bytes === null ? '' : `, ${(bytes / 1e6).toFixed(2)} MB`;
        say(`copy ${round + 1}/${options.pairs} ${what}: ${seconds.toFixed(2)} s${sent}`);
      }
    }
    return section(rounds, Math.round(rows * options.scale));
  },
};

interface Place {
  readonly provider: Parameters<typeof Course.create>[0];
  readonly subscriber: Parameters<typeof Course.create>[0];
  readonly round: number;
  readonly options: BenchOptions;
}

async function runRound({ provider, subscriber, round, options }: Place): Promise<Round> {
  await using course = await Course.create(provider, `c${round}`);
  const count = Math.round(rows * options.scale);
  await course.work([`call public.insert_rows(${count}, 1000, 10, false, 0)`]);
  await course.query('vacuum analyze public.record');
  await course.query('checkpoint');
  const given = { course, cluster: subscriber };
  await using ours = new TributarySide({ ...given, profile: options.profile });
  // The replica identity that both stand on is made by `prepare`.
  await ours.prepare();
  await course.publishForNative();
  // A native copy reads the tables themselves, which our own reader never may.
  await course.query(`grant select on public.record, public.marker to ${roles.reader}`);
  const native = async (): Promise<Copied> => {
    const kind = { format: 'binary', synchronousCommit: 'off', copyData: true } as const;
    await using side = new NativeSide({ ...given, ...kind });
    const copied = await copyNative(side, course);
    await check(course, side, count);
    return copied;
  };
  const first = round % 2 === 0 ? await native() : null;
  const copied = await copyOurs(ours, course);
  await check(course, ours, count);
  const equal = await reconcileOurs(ours);
  await check(course, ours, count);
  return { native: first ?? (await native()), ours: copied, equal };
}

async function check(course: Course, side: Side, count: number): Promise<void> {
  const found = await assertEqual(course.url, side.url);
  if (found !== count) {
    throw new Error(`${side.name} holds ${found} of ${count} rows`);
  }
}

function section(rounds: readonly Round[], count: number): Section {
  const of = (kind: keyof Round, figure: (copied: Copied) => number | null): number | null => {
    const known = rounds.map((round) => figure(round[kind])).filter((value) => value !== null);
    return known.length > 0 ? median(known) : null;
  };
  const row = (name: string, kind: keyof Round): (string | number | null)[] => [
    name,
    of(kind, ({ seconds }) => seconds),
    ratio(rounds, 'native', kind),
    of(kind, ({ nodeCpu }) => nodeCpu),
    of(kind, ({ bytes }) => (bytes === null ? null : bytes / 1e6)),
    of(kind, ({ peakBytes }) => (peakBytes === null ? null : Math.round(peakBytes / 2 ** 20))),
    of(kind, ({ eventLoopP99Ms }) => eventLoopP99Ms),
  ];
  return {
    name: 'copy',
    title: 'First copy and proof',
    notes: [
      `${count} approved rows of about 260 bytes, with both indexes. Medians over the rounds; wall time of a copy from the`,
      'fork of the walsender until the table is level, of the proof from its beginning to its end; ratios are medians',
      'of the ratios within a round. Every row is compared after each. Bytes are what the reading session received.',
      `PostgreSQL: ${JSON.stringify(serverSettings)}`,
    ],
    columns: ['what', 'wall s', 'native / this', 'node s', 'MB', 'peak MiB', 'loop p99 ms'],
    rows: [
      row('native binary, first copy', 'native'),
      row('Tributary, first copy', 'ours'),
      row('Tributary, equal data compared', 'equal'),
    ],
    targets: targets(rounds),
    measured: rounds,
  };
}

function targets(rounds: readonly Round[]): Target[] {
  const bytes = rounds.map(({ ours, equal }) => (100 * (equal.bytes ?? 0)) / (ours.bytes ?? 1));
  return [
    {
      what: 'first copy: wall of native binary over ours',
      value: ratio(rounds, 'native', 'ours'),
      wanted: { atLeast: 1.8 },
    },
    {
      what: 'equal data: wall of our first copy over that of the comparison',
      value: ratio(rounds, 'ours', 'equal'),
      wanted: { atLeast: 5 },
    },
    {
      what: 'equal data: bytes of the comparison, % of those of our first copy',
      value: median(bytes),
      wanted: { atMost: 0.5 },
    },
  ];
}

function ratio(rounds: readonly Round[], of: keyof Round, to: keyof Round): number {
  return median(rounds.map((round) => round[of].seconds / round[to].seconds));
}
