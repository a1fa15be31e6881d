/**
 * `tributary reconcile`: compares, shows as a plan what making the tables equal would change here, and does so by the run
 * of that plan: the rows that were shown and no others.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { childrenOf } from '../config/tree.ts';
import { loadReconcile, type ReconcileRow } from '../database/reconcile-tables.ts';
import { differencesOf, loadVerify } from '../database/verify-tables.ts';
import { TributaryError } from '../errors.ts';
import { tableText } from '../parking/parked-key.ts';
import { askToAct } from './ask-to-act.ts';
import type { Place } from './place.ts';
import { followRuns, linesOf, openOwn, startRuns, type Verified } from './verify.ts';

export interface ReconcileArguments {
  readonly stream: string | null;
  readonly table: string | null;
  /** Run of a plan that was shown; null: compare first. */
  readonly plan: string | null;
  /** What the comparison finds is made equal without showing it first. */
  readonly yes: boolean;
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null;
}

type Out = (line: string) => void;

const pollMs = 500;
const answer = z.object({ keys: z.number() });

/** 0: equal; 1: no process answers, or not within the time; 2: wrong usage; 3: a plan waits for a person. @throws TributaryError */
export async function reconcileCommand(
  place: Place,
  args: ReconcileArguments,
  out: Out,
): Promise<number> {
  if (args.plan !== null) {
    return await mend(place, await planned(place, args.plan), args, out);
  }
  const runs = await startRuns(place, args, out);
  if (typeof runs === 'number') {
    return runs;
  }
  const verified = await followRuns(place, { runs, timeoutMs: args.timeoutMs }, out);
  if (!verified) {
    return 1;
  }
  const differing = verified.filter(({ row }) => row.found > 0);
  if (differing.length === 0) {
    out(`${place.node.name}: every table is equal`);
    return 0;
  }
  planLines(differing).forEach((line) => out(line));
  if (args.yes) {
    return await mend(place, differing, args, out);
  }
  for (const [provider, run] of runs) {
    if (differing.some(({ row }) => row.provider === provider)) {
      out(`to do this: tributary reconcile --plan ${run}`);
    }
  }
  return 3;
}

function planLines(differing: readonly Verified[]): readonly string[] {
  return [
    ...differing.flatMap(linesOf),
    'A missing row is added here; a different one becomes as it is there; an extra one is removed here.',
  ];
}

/** @throws TributaryError usage: no finished run of this name, or a newer one took its place. */
async function planned({ node }: Place, run: string): Promise<readonly Verified[]> {
  await using own = openOwn(node.database.read(), `tributary ${node.name} reconcile`);
  const rows = await own.ask(async (query) => await loadVerify(query, null));
  const mine = rows.filter((row) => row.run === run && row.state === 'done' && row.found > 0);
  if (mine.length === 0) {
    throw new TributaryError('usage', {
      plan: run,
      problem:
        'no finished comparison of this name found a difference, or a newer one took its place',
    });
  }
  return await own.ask(
    async (query) =>
      await Promise.all(
        mine.map(async (row) => ({ row, differences: await differencesOf(query, row, 0) })),
      ),
  );
}

async function mend(
  place: Place,
  differing: readonly Verified[],
  args: ReconcileArguments,
  out: Out,
): Promise<number> {
  const { topology, node } = place;
  const known = new Set(childrenOf(topology, node).map(({ name }) => name));
  const runs = new Map(differing.map(({ row }) => [row.provider, row.run]));
  for (const [provider, run] of runs) {
    if (!known.has(provider)) {
      throw new TributaryError('usage', { stream: provider, problem: 'not a child any more' });
    }
    const act = { stream: provider, verb: 'reconcile', given: { run }, answer };
    const done = await askToAct(node, act, out);
    if (typeof done === 'number') {
      return done;
    }
    if (done.keys === 0) {
      out(
        `${node.name}: ${provider}: its tables are being made equal anyway: wait, then compare again`,
      );
      return 1;
    }
  }
  return await follow(place, differing, args, out);
}

async function follow(
  { node }: Place,
  differing: readonly Verified[],
  { timeoutMs }: ReconcileArguments,
  out: Out,
): Promise<number> {
  await using own = openOwn(node.database.read(), `tributary ${node.name} reconcile`);
  const deadline = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  const wanted = new Set(differing.map(({ row }) => `${row.provider} ${tableText(row)}`));
  for (;;) {
    const rows = await own.ask(async (query) => await loadReconcile(query, null));
    const mine = rows.filter((row) => wanted.has(`${row.provider} ${tableText(row)}`));
    const open = mine.filter(({ state }) => state !== 'done' && state !== 'held');
    if (open.length === 0 || performance.now() >= deadline) {
      mine.map(endLine).forEach((line) => out(line));
      return open.length > 0 ? 1 : mine.some(({ state }) => state === 'held') ? 3 : 0;
    }
    await pause(pollMs);
  }
}

function endLine(row: ReconcileRow): string {
  const why = row.failure === null ? '' : ` (${row.failure})`;
  return `${row.provider} ${tableText(row)}: ${row.state}${why}, ${row.sent} rows sent, ${row.repaired} changed or removed here`;
}
