/** The command line, taken apart and checked; pure. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { TributaryError } from '../errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

interface Shape {
  readonly options: Options;
  /** Words after the command. */
  readonly words: readonly string[];
}

const place = { topology: { type: 'string' }, node: { type: 'string' } } as const;
const json = { json: { type: 'boolean' } } as const;

const shapes = {
  run: { options: place, words: [] },
  status: { options: { ...place, ...json }, words: [] },
  wait: {
    options: { ...place, stream: { type: 'string' }, timeout: { type: 'string' } },
    words: [],
  },
  reload: { options: place, words: [] },
  pause: { options: place, words: ['STREAM'] },
  resume: { options: place, words: ['STREAM'] },
  check: { options: { ...place, ...json }, words: [] },
  prepare: {
    options: {
      ...place,
      plan: { type: 'boolean' },
      admin: { type: 'string' },
      undo: { type: 'boolean' },
    },
    words: [],
  },
  parked: {
    options: {
      ...place,
      ...json,
      stream: { type: 'string' },
      table: { type: 'string' },
      key: { type: 'string' },
      reason: { type: 'string' },
    },
    words: ['list|retry|discard'],
  },
  rewound: {
    options: {
      ...place,
      ...json,
      stream: { type: 'string' },
      table: { type: 'string' },
      key: { type: 'string' },
      admin: { type: 'string' },
    },
    words: ['list|return|release'],
  },
  verify: {
    options: {
      ...place,
      ...json,
      stream: { type: 'string' },
      table: { type: 'string' },
      timeout: { type: 'string' },
    },
    words: [],
  },
  reconcile: {
    options: {
      ...place,
      stream: { type: 'string' },
      table: { type: 'string' },
      plan: { type: 'string' },
      yes: { type: 'boolean' },
      timeout: { type: 'string' },
    },
    words: [],
  },
  forget: { options: { ...place, yes: { type: 'boolean' } }, words: ['NODE'] },
  // --node means nothing to it, but stands on the command line of whoever repeats the others'.
  topology: { options: place, words: ['validate|print'] },
  help: { options: {}, words: [] },
  version: { options: {}, words: [] },
} as const satisfies Record<string, Shape>;

export type CommandName = keyof typeof shapes;

export interface Arguments {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** @throws TributaryError usage, saying what is wrong. */
export function commandLine(args: readonly string[]): Arguments {
  const [first = 'help', ...rest] = args;
  const name = first === '--help' || first === '-h' ? 'help' : first;
  const command = name === '--version' ? 'version' : name;
  if (!isCommand(command)) {
    throw new TributaryError('usage', {
      command,
      allowed: Object.keys(shapes).join(', '),
    });
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    return { command: 'help', words: [command], options: {} };
  }
  const { values, positionals } = parsed(command, rest);
  const { words } = shapes[command];
  if (command !== 'help' && positionals.length !== words.length) {
    throw new TributaryError('usage', {
      command,
      expected: [`tributary ${command}`, ...words].join(' '),
      // One of them may be a URL with its password.
      words: positionals.length,
    });
  }
  return { command, words: positionals, options: values };
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(shapes, name);
}

function parsed(
  command: CommandName,
  args: readonly string[],
): {
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
} {
  const shape: Shape = shapes[command];
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: shape.options,
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Record<string, string | boolean | undefined>, positionals };
  } catch (error) {
    throw new TributaryError(
      'usage',
      {
        command,
        problem: error instanceof Error ? error.message.split('. ')[0] : null,
        options: Object.keys(shape.options)
          .map((option) => `--${option}`)
          .join(' '),
      },
      { cause: error },
    );
  }
}
