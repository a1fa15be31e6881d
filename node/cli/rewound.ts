/**
 * `tributary rewound list|return|release`: keys that stand only here, or differ here, since a child went back in time.
 * return gives them back to the child, over a login there; release takes the child's version. The running process frees
 * the keys, for its stream knows them too; they become what they are at the child by then.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { NodeConfig, Topology } from '../config/model.ts';
import { openPool } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import type { Query } from '../database/query.ts';
import { TributaryError } from '../errors.ts';
import { tableNameOf, tableText } from '../parking/parked-key.ts';
import { type Chosen, type ListedKey, rewoundKeys } from '../parking/rewound-table.ts';
import { assertKnown } from './known-names.ts';
import { addressOf, askNode } from './node-address.ts';
import { returnRows } from './return-rows.ts';
import { userName } from './user-name.ts';

export interface RewoundArguments {
  readonly verb: 'list' | 'return' | 'release';
  readonly stream: string | null;
  readonly table: string | null;
  /** JSON array of texts. */
  readonly key: string | null;
  /** URL of the child's database, with a login that may write its tables. */
  readonly admin: string | null;
  readonly json: boolean;
}

interface Place {
  readonly topology: Topology;
  readonly node: NodeConfig;
}

type Out = (line: string) => void;

const listedAtMost = 100_000;
const shownAtMost = 20;
const answer = z.object({ keys: z.number() });
const refusal = z.object({ text: z.string(), advice: z.string() });

/** 0: done; 1: no process answers, or it refused; 3: keys are left. @throws TributaryError */
export async function rewoundCommand(
  { topology, node }: Place,
  args: RewoundArguments,
  out: Out,
): Promise<number> {
  const { stream, table, verb } = args;
  if (stream === null) {
    throw new TributaryError('usage', { command: `rewound ${verb}`, missing: '--stream NAME' });
  }
  assertKnown(topology, args);
  const choice: Chosen = {
    provider: stream,
    table: table === null ? null : tableNameOf(table),
    key: keyOf(args.key),
  };
  const pool = openPool({
    url: node.database.read(),
    applicationName: `tributary ${node.name} rewound`,
    settings: { statement_timeout: 60_000 },
    max: 1,
  });
  const query: Query = async (text, values) => await pool.query(text, [...(values ?? [])]);
  try {
    switch (verb) {
      case 'list':
        return await list(query, { choice, args, node }, out);
      case 'return':
        return await giveBack(query, { choice, args, node, topology }, out);
      case 'release':
        return await free(node, choice, out);
    }
  } catch (error) {
    throw error instanceof TributaryError ? error : localError(error);
  } finally {
    await pool.end();
  }
}

interface Task {
  readonly choice: Chosen;
  readonly args: RewoundArguments;
  readonly node: NodeConfig;
}

async function list(query: Query, { choice, args, node }: Task, out: Out): Promise<number> {
  const keys = await rewoundKeys(query, choice, listedAtMost);
  if (args.json) {
    out(JSON.stringify(keys, null, 2));
  } else if (keys.length === 0) {
    out(`${node.name}: no key of ${choice.provider} is rewound`);
  } else {
    const tables = Map.groupBy(keys, ({ table }) => tableText(table));
    tables.forEach((some, name) => linesOf(name, some).forEach((line) => out(line)));
    if (keys.length === listedAtMost) {
      out(`and more than these ${listedAtMost} keys: \`--table\` lists those of one table`);
    }
    out(
      `give them back to ${choice.provider} by \`tributary rewound return\`, or take its version by \`tributary rewound release\``,
    );
  }
  return 0;
}

function linesOf(name: string, keys: readonly ListedKey[]): readonly string[] {
  const only = keys.filter(({ onlyHere }) => onlyHere).length;
  const shown = keys.slice(0, shownAtMost);
  const more = keys.length - shown.length;
  return [
    `${name}: ${only} only here, ${keys.length - only} different here`,
    ...shown.map(
      ({ key, onlyHere }) => `  ${JSON.stringify(key)} ${onlyHere ? 'only here' : 'different'}`,
    ),
    ...(more > 0 ? [`  and ${more} more, see --json`] : []),
  ];
}

/** Written at the child first: only what has arrived there is freed here, and that at once. */
async function giveBack(
  query: Query,
  { choice, args, node, topology }: Task & { readonly topology: Topology },
  out: Out,
): Promise<number> {
  const { admin } = args;
  if (admin === null) {
    throw new TributaryError('usage', {
      command: 'rewound return',
      missing: '--admin URL of the child, with a login that may write its tables',
    });
  }
  const running = await askNode(node, { method: 'GET', path: '/api/status', timeoutMs: 10_000 });
  if (!running) {
    return notRunning(node, out);
  }
  const keys = await rewoundKeys(query, choice, listedAtMost);
  let left = keys.length === listedAtMost;
  for await (const told of returnRows(query, { keys, url: admin, topology, node })) {
    if ('returned' in told) {
      const { returned } = told;
      const table = returned[0]?.table ?? null;
      out(`${returned.length} rows written at ${choice.provider}`);
      const code = await act(node, { choice, table, keys: returned.map(({ key }) => key) }, out);
      if (code !== 0) {
        return code;
      }
    } else {
      left = true;
      out(`${told.table}: ${told.refused} rows were not taken (${told.sqlstate})`);
    }
  }
  if (left) {
    out(`keys are left: \`tributary rewound list --stream ${choice.provider}\``);
  }
  return left ? 3 : 0;
}

async function free(node: NodeConfig, choice: Chosen, out: Out): Promise<number> {
  const keys = choice.key === null ? null : [choice.key];
  return await act(node, { choice, table: choice.table, keys }, out);
}

interface Freeing {
  readonly choice: Chosen;
  readonly table: ListedKey['table'] | null;
  /** Null: every key. */
  readonly keys: readonly (readonly string[])[] | null;
}

async function act(node: NodeConfig, { choice, table, keys }: Freeing, out: Out): Promise<number> {
  const path = `/api/streams/${encodeURIComponent(choice.provider)}/rewound/free`;
  const body = {
    actor: `${userName()} at ${hostname()}`,
    ...(table && { table: tableText(table) }),
    ...(keys && { keys }),
  };
  const reply = await askNode(node, { method: 'POST', path, timeoutMs: 60_000, body });
  if (!reply) {
    return notRunning(node, out);
  }
  const done = answer.safeParse(reply.body);
  if (done.success) {
    out(`${node.name}: ${done.data.keys} keys follow ${choice.provider} again`);
    return 0;
  }
  const { text, advice } = refusal.catch({ text: 'refused', advice: '' }).parse(reply.body);
  out(`${node.name}: ${choice.provider}: ${text} (HTTP ${reply.status})`);
  out(advice);
  return reply.status === 409 ? 2 : 1;
}

function notRunning(node: NodeConfig, out: Out): number {
  out(`no process of ${node.name} answers at ${addressOf(node)}: start it by \`tributary run\``);
  return 1;
}

/** @throws TributaryError usage */
function keyOf(text: string | null): readonly string[] | null {
  if (text === null) {
    return null;
  }
  try {
    return z.array(z.string()).min(1).parse(JSON.parse(text));
  } catch {
    throw new TributaryError('usage', { option: '--key', expected: `'["..."]'` });
  }
}
