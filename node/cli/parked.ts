/**
 * `tributary parked list|retry|discard`: keys that are not level here. The list comes from the database, with the keys;
 * what acts is asked of the running process, whose streams know them too.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { NodeConfig } from '../config/model.ts';
import { openPool } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import { TributaryError } from '../errors.ts';
import { adviceFor } from '../parking/advice.ts';
import { type Parked, tableText } from '../parking/parked-key.ts';
import { listParked } from '../parking/parked-table.ts';
import { assertKnown } from './known-names.ts';
import { addressOf, askNode } from './node-address.ts';
import type { Place } from './place.ts';
import { userName } from './user-name.ts';

export interface ParkedArguments {
  readonly verb: 'list' | 'retry' | 'discard';
  readonly stream: string | null;
  readonly table: string | null;
  /** JSON array of texts. */
  readonly key: string | null;
  readonly reason: string | null;
  readonly json: boolean;
}

type Out = (line: string) => void;

const listedAtMost = 10_000;
const answer = z.object({ keys: z.number() });
const refusal = z.object({ text: z.string(), advice: z.string() });

/** 0: done; 1: no process answers, or it refused; 2: wrong usage. @throws TributaryError */
export async function parkedCommand(
  { topology, node }: Place,
  args: ParkedArguments,
  out: Out,
): Promise<number> {
  assertKnown(topology, args);
  return args.verb === 'list' ? await list(node, args, out) : await act(node, args, out);
}

async function list(node: NodeConfig, args: ParkedArguments, out: Out): Promise<number> {
  const pool = openPool({
    url: node.database.read(),
    applicationName: `tributary ${node.name} parked`,
    settings: { statement_timeout: 30_000 },
    max: 1,
  });
  try {
    const found = await listParked(
      async (text, values) => await pool.query(text, [...(values ?? [])]),
      { provider: args.stream, most: listedAtMost },
    );
    const keys = found.filter(
      ({ table }) => args.table === null || tableText(table) === args.table,
    );
    if (args.json) {
      const plain = keys.map((one) => ({ ...one, waitsFor: undefined, advice: adviceFor(one) }));
      out(JSON.stringify(plain, null, 2));
    } else {
      linesOf(node.name, keys).forEach((line) => out(line));
    }
    return 0;
  } catch (error) {
    throw localError(error);
  } finally {
    await pool.end();
  }
}

/** The advice of each kind once, under its keys. */
function linesOf(node: string, keys: readonly Parked[]): readonly string[] {
  if (keys.length === 0) {
    return [`${node}: no key is parked`];
  }
  const kinds = Map.groupBy(
    keys,
    (one) => `${one.provider} ${tableText(one.table)}: ${causeText(one)}`,
  );
  return [...kinds].flatMap(([kind, some]) => {
    const [first] = some;
    return [
      `stream ${kind} (${some.length})`,
      ...(first ? [`  ${adviceFor(first)}`] : []),
      ...some.map(
        ({ key, attempts, firstAt, retryAt }) =>
          `  ${JSON.stringify(key)} since ${firstAt.toISOString()}, ${attempts} retries, next ${retryAt.toISOString()}`,
      ),
    ];
  });
}

function causeText({ reason, sqlstate, constraint, column, type }: Parked): string {
  return [reason, sqlstate, constraint, column, type].filter((part) => part !== null).join(' ');
}

async function act(node: NodeConfig, args: ParkedArguments, out: Out): Promise<number> {
  const { stream, table, verb } = args;
  if (stream === null) {
    throw new TributaryError('usage', { command: `parked ${verb}`, missing: '--stream NAME' });
  }
  const path = `/api/streams/${encodeURIComponent(stream)}/parked/${verb}`;
  const actor = `${userName()} at ${hostname()}`;
  const given =
    verb === 'retry' ? { actor, ...(table && { table }) } : { actor, ...discardOf(args) };
  const reply = await askNode(node, { method: 'POST', path, timeoutMs: 30_000, body: given });
  if (!reply) {
    out(`no process of ${node.name} answers at ${addressOf(node)}: start it by \`tributary run\``);
    return 1;
  }
  const done = answer.safeParse(reply.body);
  if (done.success) {
    const what = verb === 'retry' ? 'due now' : 'given up';
    out(`${node.name}: ${done.data.keys} key${done.data.keys === 1 ? '' : 's'} ${what}`);
    return 0;
  }
  const { text, advice } = refusal.catch({ text: 'refused', advice: '' }).parse(reply.body);
  out(`${node.name}: ${stream}: ${text} (HTTP ${reply.status})`);
  out(advice);
  return reply.status === 409 ? 2 : 1;
}

function discardOf({ table, key, reason }: ParkedArguments): object {
  const texts = z.array(z.string()).min(1).safeParse(parsed(key));
  if (table === null || reason === null || !texts.success) {
    const expected = `--table SCHEMA.NAME --key '["..."]' --reason TEXT`;
    throw new TributaryError('usage', { command: 'parked discard', expected });
  }
  return { table, key: texts.data, reason };
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
