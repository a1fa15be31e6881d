/** From a command line to its command. */
import { TributaryError } from '../errors.ts';
import type { Arguments } from './arguments.ts';
import { complaint } from './complain.ts';
import { checkCommand } from './check.ts';
import { forgetCommand } from './forget.ts';
import { help } from './help.ts';
import { parkedCommand, type ParkedArguments } from './parked.ts';
import { pauseCommand } from './pause.ts';
import { placeOf, topologyFile, type Place } from './place.ts';
import { prepareCommand, type PrepareArguments } from './prepare.ts';
import { reconcileCommand } from './reconcile.ts';
import { reloadCommand } from './reload.ts';
import { rewoundCommand, type RewoundArguments } from './rewound.ts';
import { runCommand, type Signals } from './run.ts';
import { statusCommand } from './status.ts';
import { topologyCommand } from './topology.ts';
import { exitCodes } from './verdict.ts';
import { verifyCommand } from './verify.ts';
import { version } from './version.ts';
import { waitCommand } from './wait.ts';

export interface Terminal {
  readonly out: (line: string) => void;
  /** From the first call on, signals stop the command in good order instead of ending the process. */
  readonly signals: () => Signals;
}

/** The exit code. @throws TributaryError for what a person can mend. */
export async function execute(args: Arguments, { out, signals }: Terminal): Promise<number> {
  const { command, options, words } = args;
  switch (command) {
    case 'run': {
      return await runCommand(await placeOf(args), signals());
    }
    case 'status':
      return await statusOf(args, out);
    case 'wait': {
      const wait = { stream: streamOf(args), timeoutMs: timeoutOf(args) };
      return await waitCommand(await placeOf(args), wait, out);
    }
    case 'reload':
      return await reloadCommand((await placeOf(args)).node, out);
    case 'pause':
    case 'resume':
      return await pauseCommand((await placeOf(args)).node, { verb: command, words }, out);
    case 'parked':
      return await parkedCommand(await placeOf(args), parkedOf(args), out);
    case 'verify':
      return await verifyCommand(
        await placeOf(args),
        { ...asked(args), json: options['json'] === true },
        out,
      );
    case 'reconcile': {
      const how = { plan: textOf(args, 'plan'), yes: options['yes'] === true };
      return await reconcileCommand(await placeOf(args), { ...asked(args), ...how }, out);
    }
    case 'rewound':
      return await rewoundCommand(await placeOf(args), rewoundOf(args), out);
    case 'forget': {
      const what = { name: words[0] ?? '', yes: options['yes'] === true };
      return await forgetCommand(await placeOf(args), what, out);
    }
    case 'topology':
      return await topologyCommand({ verb: verbOf(words), file: topologyFile(args) }, out);
    case 'prepare':
      return await prepareCommand(prepareOf(await placeOf(args), options), out);
    case 'check': {
      const { topology, node } = await placeOf(args);
      const json = options['json'] === true;
      return await checkCommand({ topology, node: node.name, json }, out);
    }
    case 'help':
      out(help.trimEnd());
      return 0;
    case 'version':
      out(version);
      return 0;
  }
}

/** A monitoring plugin that can not judge says unknown, with exit code 3, whatever the reason. */
async function statusOf(args: Arguments, out: Terminal['out']): Promise<number> {
  try {
    const json = args.options['json'] === true;
    return await statusCommand(await placeOf(args), { json }, out);
  } catch (error) {
    const [first = '', ...rest] = complaint(error);
    out(`UNKNOWN ${first}`);
    rest.forEach((line) => out(line));
    return exitCodes.unknown;
  }
}

function rewoundOf(args: Arguments): RewoundArguments {
  const {
    words: [verb],
    options,
  } = args;
  if (verb !== 'list' && verb !== 'return' && verb !== 'release') {
    throw new TributaryError('usage', { expected: 'tributary rewound list|return|release' });
  }
  return {
    verb,
    stream: textOf(args, 'stream'),
    table: textOf(args, 'table'),
    key: textOf(args, 'key'),
    admin: textOf(args, 'admin'),
    json: options['json'] === true,
  };
}

function parkedOf(args: Arguments): ParkedArguments {
  const {
    words: [verb],
    options,
  } = args;
  if (verb !== 'list' && verb !== 'retry' && verb !== 'discard') {
    throw new TributaryError('usage', { expected: 'tributary parked list|retry|discard' });
  }
  return {
    verb,
    stream: textOf(args, 'stream'),
    table: textOf(args, 'table'),
    key: textOf(args, 'key'),
    reason: textOf(args, 'reason'),
    json: options['json'] === true,
  };
}

/** What `verify` and `reconcile` are asked about. */
function asked(args: Arguments): {
  readonly stream: string | null;
  readonly table: string | null;
  readonly timeoutMs: number | null;
} {
  return {
    stream: textOf(args, 'stream'),
    table: textOf(args, 'table'),
    timeoutMs: args.options['timeout'] === undefined ? null : timeoutOf(args),
  };
}

function textOf({ options }: Arguments, name: string): string | null {
  const value = options[name];
  return typeof value === 'string' ? value : null;
}

function verbOf([verb]: readonly string[]): 'validate' | 'print' {
  if (verb !== 'validate' && verb !== 'print') {
    throw new TributaryError('usage', { expected: 'tributary topology validate|print' });
  }
  return verb;
}

function streamOf({ options }: Arguments): string {
  const { stream } = options;
  if (typeof stream !== 'string') {
    throw new TributaryError('usage', { command: 'wait', missing: '--stream NAME' });
  }
  return stream;
}

/** Seconds on the command line. */
function timeoutOf({ options }: Arguments): number {
  const text = options['timeout'] ?? '60';
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0 || text === '') {
    throw new TributaryError('usage', { option: '--timeout', expected: 'a number of seconds' });
  }
  return seconds * 1000;
}

function prepareOf({ topology, node }: Place, options: Arguments['options']): PrepareArguments {
  const { plan, admin, undo } = options;
  return {
    topology,
    node: node.name,
    plan: plan === true,
    admin: typeof admin === 'string' ? admin : null,
    undo: undo === true,
  };
}
