/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import type { BenchOptions } from './benchmark.ts';

export interface CommandLine extends BenchOptions {
  /** Names of benchmarks; null: all. */
  readonly only: readonly string[] | null;
  /** Where the JSON goes; null: stdout, behind the table. */
  readonly json: string | null;
  readonly help: boolean;
}

export const help = `npm run bench -- [options]

PostgreSQL's own subscription and Tributary side by side, on this machine, each round the same work for every side.

  --major NUMBER     of PostgreSQL, 15 to 18 (default 18); pglogical drains beside it where the distribution's server has it
  --only LIST        benchmarks, of: drain, copy, chain, scale, steady (default: all)
  --pairs NUMBER     rounds of each drain and copy; medians are over them (default 5)
  --scale FACTOR     of all numbers of rows (default 1)
  --workloads LIST   drains, of: inserts, singles, updates, large, skewed, huge (default: all)
  --children LIST    numbers of children of one parent (default 8,64,256,512)
  --seconds NUMBER   how long each load of chain, scale and steady lasts (default 30)
  --profile DIR      a processor profile of the measured node; its figures are no results
  --json FILE        all measurements (default: stdout, behind the table)
  --help
`;

/** @throws TypeError of node:util for an unknown option; RangeError for a value that is no positive number. */
export function parseOptions(args: readonly string[]): CommandLine {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      major: text,
      only: text,
      pairs: text,
      scale: text,
      workloads: text,
      children: text,
      seconds: text,
      profile: text,
      json: text,
      help: { type: 'boolean' },
    },
  });
  return {
    major: positive('major', values.major ?? '18'),
    only: list(values.only),
    pairs: Math.ceil(positive('pairs', values.pairs ?? '5')),
    scale: positive('scale', values.scale ?? '1'),
    workloads: list(values.workloads),
    children: (list(values.children) ?? ['8', '64', '256', '512']).map((each) =>
      positive('children', each),
    ),
    seconds: positive('seconds', values.seconds ?? '30'),
    profile: values.profile ?? null,
    json: values.json ?? null,
    help: values.help ?? false,
  };
}

function list(text: string | undefined): readonly string[] | null {
  return text?.split(',').map((each) => each.trim()) ?? null;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RangeError(`--${name} wants a positive number`);
  }
  return value;
}
