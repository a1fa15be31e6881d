/**
 * `tributary verify`: tables here compared with the children's, by the running process; this asks for it, follows it in
 * the database, and says what differs. Keys are shown, values never.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { childrenOf } from '../config/tree.ts';
import { openPool } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import type { Query } from '../database/query.ts';
import {
  type Difference,
  differencesOf,
  loadVerify,
  type VerifyRow,
} from '../database/verify-tables.ts';
import { TributaryError } from '../errors.ts';
import { askToAct } from './ask-to-act.ts';
import type { Place } from './place.ts';

export interface VerifyArguments {
  readonly stream: string | null;
  readonly table: string | null;
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null;
  readonly json: boolean;
}

/** One table of one stream as its run left it. */
export interface Verified {
  readonly row: VerifyRow;
  /** At most `listedAtMost`. */
  readonly differences: readonly Difference[];
}

type Out = (line: string) => void;

const pollMs = 500;
const sayEveryMs = 10_000;
const listedAtMost = 10_000;
const answer = z.object({ run: z.string() });

/** 0: equal; 1: no process answers, or not within the time; 2: wrong usage; 3: something differs. @throws TributaryError */
export async function verifyCommand(
  place: Place,
  args: VerifyArguments,
  out: Out,
): Promise<number> {
  const runs = await startRuns(place, args, out);
  if (typeof runs === 'number') {
    return runs;
  }
  // Progress is for people: what reads JSON gets nothing else.
  const progress = args.json ? () => {} : out;
  const verified = await followRuns(place, { runs, timeoutMs: args.timeoutMs }, progress);
  if (!verified) {
    return 1;
  }
  if (args.json) {
    out(JSON.stringify(verified.map(jsonOf), null, 2));
  } else {
    verified.flatMap(linesOf).forEach((line) => out(line));
  }
  const differing = verified.reduce((sum, { row }) => sum + row.found, 0);
  if (differing > 0 && !args.json) {
    out('`tributary reconcile` shows what making them equal would change here.');
  }
  return differing > 0 ? 3 : 0;
}

/** Asks the process for a run of each stream; stream -> run, or the exit code. */
export async function startRuns(
  { topology, node }: Place,
  { stream, table }: Pick<VerifyArguments, 'stream' | 'table'>,
  out: Out,
): Promise<ReadonlyMap<string, string> | number> {
  const streams = childrenOf(topology, node)
    .filter(({ retired }) => !retired)
    .map(({ name }) => name);
  if (streams.length === 0) {
    throw new TributaryError('usage', { node: node.name, problem: 'this node has no children' });
  }
  const runs = new Map<string, string>();
  for (const name of stream === null ? streams : [stream]) {
    const given = table === null ? {} : { table };
    const done = await askToAct(node, { stream: name, verb: 'verify', given, answer }, out);
    if (typeof done === 'number') {
      return done;
    }
    runs.set(name, done.run);
  }
  return runs;
}

/** Until every table of the runs is compared; null: not within the time, or another run took its place. */
export async function followRuns(
  { node }: Place,
  {
    runs,
    timeoutMs,
  }: { readonly runs: ReadonlyMap<string, string>; readonly timeoutMs: number | null },
  out: Out,
): Promise<readonly Verified[] | null> {
  await using own = openOwn(node.database.read(), `tributary ${node.name} verify`);
  const deadline = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  let sayAt = performance.now() + sayEveryMs;
  let most = runs.size;
  for (;;) {
    const rows = await own.ask(async (query) => await loadVerify(query, null));
    const mine = rows.filter(({ provider, run }) => runs.get(provider) === run);
    const open = mine.filter(({ state }) => state !== 'done');
    if (mine.length < most || new Set(mine.map(({ provider }) => provider)).size < runs.size) {
      out(`${node.name}: another verification has taken the place of this one`);
      return null;
    }
    most = mine.length;
    if (open.length === 0) {
      return await own.ask(
        async (query) =>
          await Promise.all(
            mine.map(async (row) => ({
              row,
              differences: await differencesOf(query, row, listedAtMost),
            })),
          ),
      );
    }
    if (performance.now() >= deadline) {
      open.map(progressLine).forEach((line) => out(line));
      out(`${node.name}: not through after ${(timeoutMs ?? 0) / 1000} s; it goes on by itself`);
      return null;
    }
    if (performance.now() >= sayAt) {
      sayAt = performance.now() + sayEveryMs;
      open.map(progressLine).forEach((line) => out(line));
    }
    await pause(pollMs);
  }
}

function progressLine({ provider, schema, name, state, walked, failure }: VerifyRow): string {
  const waits =
    state === 'wanted'
      ? ' (its turn comes while the stream runs and the table is not left alone)'
      : '';
  const why = failure === null ? waits : ` (${failure})`;
  return `${provider} ${schema}.${name}: ${state}${why}, ${walked} rows compared`;
}

/** What a run found in a table, and the keys. */
export function linesOf({ row, differences }: Verified): readonly string[] {
  const { provider, schema, name, found, walked, bytes, verifiedThrough } = row;
  const through = verifiedThrough?.toISOString() ?? 'unknown';
  const head = `${provider} ${schema}.${name}: `;
  const size = `${walked} rows compared, ${bytes} bytes received, through ${through}`;
  if (found === 0) {
    return [`${head}equal (${size})`];
  }
  const kinds = Map.groupBy(differences, ({ kind }) => kind);
  const counts = [...kinds].map(([kind, some]) => `${some.length} ${kind}`).join(', ');
  const listed = differences.length < found ? `of the first ${differences.length}: ` : '';
  return [
    `${head}${found} key${found === 1 ? '' : 's'} differ (${listed}${counts}; ${size})`,
    ...differences.map(({ key, kind }) => `  ${kind} ${JSON.stringify(key)}`),
  ];
}

function jsonOf({ row, differences }: Verified): object {
  const { provider, schema, name, run, walked, bytes, seconds, verifiedThrough, found } = row;
  return {
    stream: provider,
    table: `${schema}.${name}`,
    run,
    walked,
    bytes,
    seconds,
    verifiedThrough,
    differing: found,
    differences,
  };
}

interface Own extends AsyncDisposable {
  /** @throws TributaryError database_*. */
  ask<T>(question: (query: Query) => Promise<T>): Promise<T>;
}

/** This node's own database, for a command that follows what the process does; 0: a question may take as long as it takes. */
export function openOwn(url: string, applicationName: string, timeoutMs = 30_000): Own {
  const settings = { statement_timeout: timeoutMs };
  const pool = openPool({ url, applicationName, settings, max: 1 });
  return {
    ask: async (question) => {
      try {
        return await question(async (text, values) => await pool.query(text, [...(values ?? [])]));
      } catch (error) {
        throw localError(error);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await pool.end();
    },
  };
}
