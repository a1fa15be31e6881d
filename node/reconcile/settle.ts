/**
 * Makes the rows of some keys equal to the provider's: the reconcile of single keys, and the last step of a descent.
 * Exact while both sides change: the rows are read under one snapshot and written when the stream has passed it; keys
 * that transactions the snapshot does not see touch meanwhile are left to the stream.
 */
import { rowKey } from '../apply/row-key.ts';
import type { Query } from '../database/query.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Key } from '../provider/reader.ts';
import { keyIdentity, KeyTuple } from './key-identity.ts';
import { RangeView } from './range-view.ts';
import { passed, type TableSide } from './table-side.ts';

/** Bytes of rows taken at once. */
const rowBytes = 4 << 20;
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
  /** Runs in the transaction that settles these keys; may run for several portions of them. */
  readonly within?: (query: Query, keys: readonly Key[]) => Promise<void>;
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

/** The stream changes a key without sending all of it, so one it touched is judged again, this many times in all. */
const turnsAtMost = 3;

/** At most `keysAtOnce` keys, each once. @throws TributaryError of provider and apply */
export async function settle(side: TableSide, options: SettleOptions): Promise<Settled> {
  const { parked } = side.stream;
  const table = { schema: side.plan.read.schema, name: side.plan.read.name };
  // What may be the last copy is a person's to decide, whatever the comparison finds.
  const keys = options.keys.filter((key) => !parked.isRewound({ table, key }));
  let found: Settled = { missing: [], different: [], extra: [], left: keys };
  for (let turn = 0; turn < turnsAtMost && found.left.length > 0; turn += 1) {
    const more = await settleOnce(side, { ...options, keys: found.left });
    found = {
      missing: [...found.missing, ...more.missing],
      different: [...found.different, ...more.different],
      extra: [...found.extra, ...more.extra],
      left: more.left,
    };
  }
  return found;
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
    const left = leftToStream(side, range, options.keys);
    if (left === 'all') {
      continue;
    }
    const judged = judge(options.keys, { theirs, ours, left });
    const all = await filling(side, range, { verdict: judged, fills: options.fills ?? [] });
    const verdict = options.parked ? everyOne(all, options.keys, theirs) : all;
    if (options.changes === 'look' || (await carryOut(side, { range, verdict, options }))) {
      return verdict;
    }
  }
}

function judge(
  keys: readonly Key[],
  found: {
    readonly theirs: ReadonlyMap<number, bigint>;
    readonly ours: ReadonlyMap<number, bigint>;
    readonly left: ReadonlySet<number>;
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
    if (found.left.has(number)) {
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

/** Numbers of the keys that are the stream's. */
function leftToStream(
  { plan, stream }: TableSide,
  range: RangeView,
  keys: readonly Key[],
): ReadonlySet<number> | 'all' {
  const { touched } = range;
  if (touched === 'all' || touched.size === 0) {
    return touched === 'all' ? 'all' : new Set();
  }
  const left = new Set<number>();
  for (const [number, key] of keys.entries()) {
    if (touched.has(keyIdentity(key, plan, stream.format))) {
      left.add(number);
    }
  }
  return left;
}

interface Task {
  readonly range: RangeView;
  readonly verdict: Verdict;
  readonly options: SettleOptions;
}

/** False: the range is to be judged again. What was written by then is right. */
async function carryOut(side: TableSide, { range, verdict, options }: Task): Promise<boolean> {
  const write = options.changes === 'write';
  const { equal, missing, different, extra } = verdict;
  let wanted: readonly Key[] = write ? [...missing, ...different] : missing;
  let first = true;
  do {
    const tuples =
      wanted.length === 0
        ? []
        : await range.view.rowsByKey(side.plan.read, wanted, {
            bytes: rowBytes,
            form: side.stream.format,
          });
    const arrived = keysOf(side, wanted, tuples);
    const others = first ? [...equal, ...(write ? extra : [])] : [];
    const portion = {
      present: tuples,
      absent: first && write ? extra : [],
      keys: [...arrived, ...others],
    };
    if (!(await put(side, range, { ...portion, within: options.within }))) {
      return false;
    }
    const had = new Set(arrived);
    wanted = tuples.length === 0 ? [] : wanted.filter((key) => !had.has(key));
    first = false;
  } while (wanted.length > 0);
  return true;
}

interface Portion {
  readonly present: readonly Tuple[];
  readonly absent: readonly Key[];
  readonly keys: readonly Key[];
  readonly within: SettleOptions['within'] | undefined;
}

/** False: too much was touched meanwhile. */
async function put(side: TableSide, range: RangeView, portion: Portion): Promise<boolean> {
  const { stream, plan, adopting = false } = side;
  const { within, keys } = portion;
  return await stream.turns.take(async () => {
    const { touched } = range;
    const left = leftToStream(side, range, portion.absent);
    if (touched === 'all' || left === 'all') {
      return false;
    }
    const present = portion.present.filter((tuple) => !touched.has(rowKey(tuple, plan.keyIndexes)));
    const absent = portion.absent
      .filter((_, number) => !left.has(number))
      .map((key) => new KeyTuple(key, plan, stream.format));
    if (present.length > 0 || absent.length > 0 || within) {
      await stream.applier.put(
        { relation: plan.relation, present, absent, expected: 'any', adopting },
        async (query) => await within?.(query, keys),
      );
    }
    return true;
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
