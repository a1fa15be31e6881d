/**
 * Makes the rows of some keys equal to the provider's: the reconcile of single keys, and the last step of a descent.
 * Exact while both sides change: the rows are read under one snapshot and written when the stream has passed it. A key that
 * transactions the snapshot does not see touch meanwhile is not written, and judged again: an update leaves out large values
 * that did not change, and what stands here of those may be old.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { rowKey } from '../apply/row-key.ts';
import { TributaryError } from '../errors.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Key } from '../provider/reader.ts';
import { keyIdentity, KeyTuple } from './key-identity.ts';
import { RangeView } from './range-view.ts';
import { passed, type TableSide } from './table-side.ts';

/** Bytes of rows taken at once, and written before more are: what a cut link costs. */
const rowBytes = 512 << 10;
/** Keys of one view. */
export const keysAtOnce = 1000;

export interface SettleOptions {
  readonly keys: readonly Key[];
  /** write: rows here are overwritten and removed. keep: only rows that are missing here are written. look: nothing is. */
  readonly changes: 'write' | 'keep' | 'look';
  /** With keep: rows here that are equal in all other columns are written too, for these were only missing. */
  readonly fills?: readonly string[];
  /** The keys are parked: each is put, also where it is level by now, for that frees it. */
  readonly parked?: boolean;
}

/** How keys stood when they were judged. What was written of them is as `changes` asked. */
export interface Settled {
  /** Only at the provider; or without columns that are to be filled, which were only missing. */
  readonly missing: readonly Key[];
  /** On both sides. */
  readonly different: readonly Key[];
  /** Only here. */
  readonly extra: readonly Key[];
  /** Touched by the stream again and again while they were to be judged: in no other list. */
  readonly left: readonly Key[];
}

interface Verdict extends Settled {
  readonly equal: readonly Key[];
}

/** A key that the stream touched is judged again, this many times in all. */
const turnsAtMost = 3;
/** For one that is touched all the time there is a gap some day, but the other tables wait. */
const patienceMs = 60_000;
const betweenMs = 100;

/** At most `keysAtOnce` keys, each once. @throws TributaryError of provider and apply */
export async function settle(side: TableSide, options: SettleOptions): Promise<Settled> {
  const { parked } = side.stream;
  const table = { schema: side.plan.read.schema, name: side.plan.read.name };
  // What may be the last copy is a person's to decide, whatever the comparison finds.
  const keys = options.keys.filter((key) => !parked.isRewound({ table, key }));
  let found = noneOf(keys);
  for (let turn = 0; turn < turnsAtMost && found.left.length > 0; turn += 1) {
    found = joined(found, await settleOnce(side, { ...options, keys: found.left }));
  }
  return found;
}

/** The same until none is left. @throws TributaryError keys_busy, and as `settle` */
export async function settleAll(side: TableSide, options: SettleOptions): Promise<Settled> {
  const deadline = performance.now() + patienceMs;
  let found = noneOf(options.keys);
  while (found.left.length > 0) {
    found = joined(found, await settle(side, { ...options, keys: found.left }));
    if (found.left.length > 0) {
      if (performance.now() > deadline) {
        const { schema, name } = side.plan.read;
        const context = { table: `${schema}.${name}`, keys: found.left.length };
        throw new TributaryError('keys_busy', context);
      }
      await pause(betweenMs, undefined, { signal: side.signal });
    }
  }
  return found;
}

function noneOf(keys: readonly Key[]): Settled {
  return { missing: [], different: [], extra: [], left: keys };
}

function joined(before: Settled, { missing, different, extra, left }: Settled): Settled {
  return {
    missing: [...before.missing, ...missing],
    different: [...before.different, ...different],
    extra: [...before.extra, ...extra],
    left,
  };
}

async function settleOnce(side: TableSide, options: SettleOptions): Promise<Settled> {
  const { stream, plan, signal } = side;
  for (;;) {
    await using range = await RangeView.open(
      { reader: side.reader, trail: stream.trail },
      plan.read,
      signal,
    );
    const theirs = await range.view.hashesByKey(plan.compared, options.keys);
    await passed(side, range.view.position);
    const ours = await side.local.hashesByKey(options.keys);
    const touched = touchedOf(side, range, options.keys);
    if (touched === 'all') {
      continue;
    }
    const judged = judge(options.keys, { theirs, ours, touched });
    const all = await filling(side, range, { verdict: judged, fills: options.fills ?? [] });
    const verdict = options.parked ? everyOne(all, options.keys, theirs) : all;
    if (options.changes === 'look') {
      return verdict;
    }
    const left = await carryOut(side, { range, verdict, options });
    if (left) {
      return without(verdict, left);
    }
  }
}

function judge(
  keys: readonly Key[],
  found: {
    readonly theirs: ReadonlyMap<number, bigint>;
    readonly ours: ReadonlyMap<number, bigint>;
    readonly touched: ReadonlySet<number>;
  },
): Verdict {
  const equal: Key[] = [];
  const missing: Key[] = [];
  const different: Key[] = [];
  const extra: Key[] = [];
  const left: Key[] = [];
  for (const [number, key] of keys.entries()) {
    const there = found.theirs.get(number);
    const here = found.ours.get(number);
    if (found.touched.has(number)) {
      left.push(key);
    } else if (there === here) {
      equal.push(key);
    } else if (there === undefined) {
      extra.push(key);
    } else {
      (here === undefined ? missing : different).push(key);
    }
  }
  return { equal, missing, different, extra, left };
}

/** Keys that were touched before they could be written are to be judged again. */
function without(verdict: Verdict, touched: readonly Key[]): Settled {
  const keys = new Set(touched);
  const others = (list: readonly Key[]): readonly Key[] => list.filter((key) => !keys.has(key));
  return {
    missing: others(verdict.missing),
    different: others(verdict.different),
    extra: others(verdict.extra),
    left: [...verdict.left, ...touched],
  };
}

/** Rows that differ in nothing but columns that are to be filled count as missing. */
async function filling(
  { plan, local }: TableSide,
  range: RangeView,
  { verdict, fills }: { readonly verdict: Verdict; readonly fills: readonly string[] },
): Promise<Verdict> {
  const { different } = verdict;
  if (fills.length === 0 || different.length === 0) {
    return verdict;
  }
  const columns = plan.compared.columns.filter((name) => !fills.includes(name));
  const theirs = await range.view.hashesByKey({ ...plan.compared, columns }, different);
  const ours = await local.hashesByKey(different, columns);
  const fill = new Set(different.filter((_, n) => theirs.has(n) && theirs.get(n) === ours.get(n)));
  return {
    ...verdict,
    missing: [...verdict.missing, ...fill],
    different: different.filter((key) => !fill.has(key)),
  };
}

/** What is level is put once more, as it is there. */
function everyOne(
  verdict: Verdict,
  keys: readonly Key[],
  theirs: ReadonlyMap<number, bigint>,
): Verdict {
  const there = new Set([...theirs.keys()].map((number) => keys[number]));
  return {
    equal: [],
    missing: verdict.missing,
    different: [...verdict.different, ...verdict.equal.filter((key) => there.has(key))],
    extra: [...verdict.extra, ...verdict.equal.filter((key) => !there.has(key))],
    left: verdict.left,
  };
}

/** Numbers of the keys that the stream touched since the snapshot. */
function touchedOf(
  { plan, stream }: TableSide,
  range: RangeView,
  keys: readonly Key[],
): ReadonlySet<number> | 'all' {
  const { touched } = range;
  const found = new Set<number>();
  if (touched === 'all' || touched.size === 0) {
    return touched === 'all' ? 'all' : found;
  }
  for (const [number, key] of keys.entries()) {
    if (touched.has(keyIdentity(key, plan, stream.format))) {
      found.add(number);
    }
  }
  return found;
}

interface Task {
  readonly range: RangeView;
  readonly verdict: Verdict;
  readonly options: SettleOptions;
}

/** Keys that were touched before they could be written; null: too much was, and all are to be judged again. */
async function carryOut(
  side: TableSide,
  { range, verdict, options }: Task,
): Promise<readonly Key[] | null> {
  const write = options.changes === 'write';
  const { missing, different, extra } = verdict;
  let wanted: readonly Key[] = write ? [...missing, ...different] : missing;
  let absent: readonly Key[] = write ? extra : [];
  const left: Key[] = [];
  while (wanted.length > 0 || absent.length > 0) {
    const present =
      wanted.length === 0
        ? []
        : await range.view.rowsByKey(side.plan.read, wanted, {
            bytes: rowBytes,
            form: side.stream.format,
          });
    const keys = keysOf(side, wanted, present);
    const touched = await put(side, range, { present, keys, absent });
    if (!touched) {
      return null;
    }
    left.push(...touched);
    const had = new Set(keys);
    wanted = present.length === 0 ? [] : wanted.filter((key) => !had.has(key));
    absent = [];
  }
  return left;
}

interface Portion {
  readonly present: readonly Tuple[];
  /** Of those rows. */
  readonly keys: readonly Key[];
  readonly absent: readonly Key[];
}

/** As `carryOut`. */
async function put(
  side: TableSide,
  range: RangeView,
  portion: Portion,
): Promise<readonly Key[] | null> {
  const { stream, plan, adopting = false } = side;
  return await stream.turns.take(async () => {
    const { touched } = range;
    const all = [...portion.keys, ...portion.absent];
    const numbers = touchedOf(side, range, all);
    if (touched === 'all' || numbers === 'all') {
      return null;
    }
    const present = portion.present.filter((tuple) => !touched.has(rowKey(tuple, plan.keyIndexes)));
    const absent = portion.absent
      .filter((_, number) => !numbers.has(portion.keys.length + number))
      .map((key) => new KeyTuple(key, plan, stream.format));
    if (present.length > 0 || absent.length > 0) {
      await stream.applier.put(
        { relation: plan.relation, present, absent, expected: 'any', adopting },
        async () => {},
      );
    }
    return all.filter((_, number) => numbers.has(number));
  });
}

/** Those of the keys whose rows have come. */
function keysOf(
  { plan, stream }: TableSide,
  keys: readonly Key[],
  tuples: readonly Tuple[],
): readonly Key[] {
  const came = new Set(tuples.map((tuple) => rowKey(tuple, plan.keyIndexes)));
  return keys.filter((key) => came.has(keyIdentity(key, plan, stream.format)));
}

/** As many as `settle` takes at once. */
export function portions(keys: readonly Key[]): readonly (readonly Key[])[] {
  const count = Math.ceil(keys.length / keysAtOnce);
  return Array.from({ length: count }, (_, n) => keys.slice(n * keysAtOnce, (n + 1) * keysAtOnce));
}
