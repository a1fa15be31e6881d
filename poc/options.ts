/** The command line of the proof of concept. */
import { parseArgs } from 'node:util';

export interface Options {
  /** null: until Ctrl-C. */
  readonly seconds: number | null;
  readonly json: boolean;
  readonly seed: number;
  /** First of the ports used; null: the first free block. */
  readonly ports: number | null;
  /** Multiplies the load of the generator. */
  readonly rate: number;
  readonly faults: boolean;
  readonly falsify: boolean;
  /** How long the levels may take to become equal after the load has ended. */
  readonly settleSeconds: number;
  /** Every line the nodes write goes to stderr. */
  readonly verbose: boolean;
  readonly help: boolean;
}

export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export const help = `npm run poc -- [options]

Starts the invented Republic of Kivara: one nation, two regions, four districts, each with a PostgreSQL 18 of its own and
a Tributary process beside it, all on this machine, and people at the districts who enter, approve, edit, withdraw and
delete. Without --for it runs until Ctrl-C and takes commands on stdin (type help).

  --for SECONDS      run that long under faults, stop the load, heal everything, wait until the levels are equal,
                     print the verdict
  --json             the verdict as one JSON object on stdout (progress stays on stderr)
  --seed NUMBER      seed of load and faults (default: the time of the start; printed)
  --rate FACTOR      load of the generator (default 1)
  --no-faults        with --for: cut and kill nothing
  --falsify          change one value at the nation behind the node's back: the verdict must be "different"
  --settle SECONDS   how long the levels may take to become equal (default 180)
  --ports NUMBER     first of the 21 ports used on 127.0.0.1 (default: 7400, or the next free block)
  --verbose          show every line the nodes write
  --help

Exit: 0 equal; 1 different; 2 wrong usage; 3 equal, but too little happened to prove anything; 4 the run failed;
129, 130 or 143 a timed run was
ended by SIGHUP, Ctrl-C or SIGTERM.
`;

/** @throws UsageError with what to write instead. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  const seconds = values.for === undefined ? null : number('for', values.for, 5, 86_400);
  if (seconds === null && (values.json || values.falsify)) {
    throw new UsageError('--json and --falsify need --for SECONDS');
  }
  return {
    seconds,
    json: values.json,
    seed: number('seed', values.seed ?? String(Date.now() % 1_000_000), 0, 2 ** 48),
    ports: values.ports === undefined ? null : number('ports', values.ports, 1024, 65_000),
    rate: number('rate', values.rate, 0.05, 50),
    faults: !values['no-faults'],
    falsify: values.falsify,
    settleSeconds: number('settle', values.settle, 1, 86_400),
    verbose: values.verbose,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        for: { type: 'string' },
        json: { type: 'boolean', default: false },
        seed: { type: 'string' },
        ports: { type: 'string' },
        rate: { type: 'string', default: '1' },
        'no-faults': { type: 'boolean', default: false },
        falsify: { type: 'boolean', default: false },
        settle: { type: 'string', default: '180' },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= low && value <= high)) {
    throw new UsageError(`--${name} takes a number from ${low} to ${high}`);
  }
  return value;
}
