/**
 * As many rows as can be compared at once, as one number: two copies are equal nearly always, and where they are it takes
 * less than half the time of digests of blocks, for the rows are neither sorted nor grouped. Where they are not nothing is
 * learnt but that.
 */
import type { Key, KeyRange } from '../provider/reader.ts';
import { RangeView } from './range-view.ts';
import type { TableSide } from './table-side.ts';

/** Of the first, few: a table that changes all the time is seldom equal as a whole, and this is what it costs. */
const first = { rows: 131_072, leastRows: 64, bytes: 64 << 20 } as const;
const most = { rows: 1 << 22, growth: 8, longMs: 4000, shortMs: 500 } as const;

export interface CoarseChunk {
  /** Null: the end of the table. */
  readonly through: Key | null;
  readonly equal: boolean;
  /** At the provider. */
  readonly rows: number;
  readonly tookMs: number;
}

/** Rows of the first one, where a row takes so many bytes: every byte is hashed, and there is a limit of time. Pure. */
export function firstCoarse(rowBytes: number): number {
  const rows = Math.floor(first.bytes / Math.max(1, rowBytes));
  return Math.min(first.rows, Math.max(first.leastRows, rows));
}

/** Rows of the next one: a question of wide rows takes long, and both sides have a limit of time for it. Pure. */
export function nextCoarse(rows: number, { tookMs }: Pick<CoarseChunk, 'tookMs'>): number {
  if (tookMs > most.longMs) {
    return Math.max(1, rows >> 1);
  }
  const wanted = tookMs < most.shortMs ? rows * most.growth : rows;
  return Math.min(most.rows, wanted);
}

/**
 * The rows behind a key, about so many; all of them where no more are expected. Null: the provider has not the functions
 * for it. Both sides are asked at the same time: what the provider commits after its snapshot makes the two differ, or
 * comes by the stream. @throws TributaryError provider_*, and this node's own database's
 */
export async function coarseChunk(
  { reader, plan, signal, stream, local }: TableSide,
  after: Key | null,
  { rows, expected }: { readonly rows: number; readonly expected: number },
): Promise<CoarseChunk | null> {
  const started = performance.now();
  await using range = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  const { view } = range;
  if (!(await view.hasDigests())) {
    return null;
  }
  const through = expected <= rows ? null : await view.keyAfter(plan.compared, after, rows);
  const whole: KeyRange = { after, upto: through };
  const [theirs, ours] = await Promise.all([
    view.digest(plan.compared, whole),
    local.digest(whole),
  ]);
  return {
    through,
    equal: theirs.count === ours.count && theirs.digest === ours.digest,
    rows: theirs.count,
    tookMs: performance.now() - started,
  };
}
