/** Laps to a table, and to ratios against native binary of the same round. Pure. */
import type { Cell, Section, Target } from '../benchmark.ts';
import { median } from '../statistics.ts';
import type { Lap } from './lap.ts';
import type { Workload } from './workload.ts';

export interface Round {
  readonly workload: Workload;
  readonly laps: readonly Lap[];
}

const own = 'Tributary';
const rivals = {
  off: 'native binary, synchronous_commit off',
  on: 'native binary, synchronous_commit on',
} as const;

export function drainSection(rounds: readonly Round[], settings: object): Section {
  const workloads = [...new Set(rounds.map(({ workload }) => workload))];
  const ofWorkload = (workload: Workload): readonly Round[] =>
    rounds.filter((round) => round.workload === workload);
  return {
    name: 'drain',
    title: 'Drain of a backlog',
    notes: [
      'Medians over the rounds; wall time from the fork of the walsender until the last transaction is visible at the',
      'subscriber; ratios are medians of the ratios within a round. Tributary always commits with synchronous_commit on:',
      'what it confirms is durable. Rows are compared one by one after every lap.',
      ...workloads.map(({ name, about }) => `${name}: ${about}.`),
      `PostgreSQL: ${JSON.stringify(settings)}`,
    ],
    columns: [
      'drain',
      'side',
      'wall s',
      'native binary / this',
      'walsender s',
      'backend s',
      'node s',
      'subscriber cpu / native binary',
      'wire MB',
      'peak MiB',
      'loop p99 ms',
      'rows that differ',
    ],
    rows: workloads.flatMap((workload) => rowsOf(workload, ofWorkload(workload))),
    targets: workloads.flatMap((workload) => targetsOf(workload, ofWorkload(workload))),
    measured: rounds.map(({ workload, laps }) => ({ workload: workload.name, laps })),
  };
}

function rowsOf(workload: Workload, rounds: readonly Round[]): Cell[][] {
  const sides = [...new Set(rounds.flatMap(({ laps }) => laps.map(({ side }) => side)))].sort();
  return sides.map((side) => {
    const laps = rounds.flatMap((round) => round.laps.filter((lap) => lap.side === side));
    const of = (figure: (lap: Lap) => number | null): number | null => {
      const known = laps.map(figure).filter((value) => value !== null);
      return known.length > 0 ? median(known) : null;
    };
    return [
      workload.name,
      side,
      of((lap) => lap.wallSeconds),
      ratio(rounds, (lap) => lap.wallSeconds, { of: rivals.off, to: side }),
      of((lap) => lap.walsenderCpu),
      of((lap) => lap.backendCpu),
      of((lap) => lap.nodeCpu),
      ratio(rounds, subscriberCpu, { of: side, to: rivals.off }),
      of((lap) => (lap.wireBytes === null ? null : lap.wireBytes / 1e6)),
      of((lap) => (lap.peakBytes === null ? null : Math.round(lap.peakBytes / 2 ** 20))),
      of((lap) => lap.eventLoopP99Ms),
      of((lap) => lap.differing),
    ];
  });
}

function targetsOf(workload: Workload, rounds: readonly Round[]): Target[] {
  const { name, wanted } = workload;
  if (!wanted) {
    return [];
  }
  const wall = (commit: 'off' | 'on'): Target => ({
    what: `${name}: wall of native binary with synchronous_commit ${commit} over ours`,
    value: ratio(rounds, (lap) => lap.wallSeconds, { of: rivals[commit], to: own }),
    wanted: { atLeast: wanted[commit] },
  });
  return [
    wall('off'),
    wall('on'),
    {
      what: `${name}: our subscriber processor seconds over those of native binary`,
      value: ratio(rounds, subscriberCpu, { of: own, to: rivals.off }),
      wanted: { atMost: 0.85 },
    },
  ];
}

function subscriberCpu(lap: Lap): number {
  return lap.backendCpu + lap.nodeCpu;
}

/** The median of the ratios within each round. */
function ratio(
  rounds: readonly Round[],
  figure: (lap: Lap) => number,
  sides: { readonly of: string; readonly to: string },
): number {
  const ratios = rounds.flatMap(({ laps }) => {
    const above = laps.find(({ side }) => side === sides.of);
    const below = laps.find(({ side }) => side === sides.to);
    return above && below ? [figure(above) / figure(below)] : [];
  });
  return median(ratios);
}
