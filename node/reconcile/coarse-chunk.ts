/**
 * As many rows as can be compared at once, as one number: two copies are equal nearly always, and where they are it takes
 * less than half the time of digests of blocks, for the rows are neither sorted nor grouped. Where they are not nothing is
 * learnt but that.
 */
import type { Key, KeyRange } from '../provider/reader.ts';
import { RangeView } from './range-view.ts';
import type { TableSide } from './table-side.ts';

export interface CoarseChunk {
  /** Null: the end of the table. */
  readonly through: Key | null;
  readonly equal: boolean;
  /** At the provider. */
  readonly rows: number;
  /** Both sides' work, without the wait for a view. */
  readonly tookMs: number;
}

/**
 * The rows behind a key, so many, or all of them (`rest`). Null: the provider has not the functions
 * for it. Both sides are asked at the same time: what the provider commits after its snapshot makes the two differ, or
 * comes by the stream. @throws TributaryError provider_*, and this node's own database's
 */
export async function coarseChunk(
  { reader, plan, signal, stream, local }: TableSide,
  after: Key | null,
  { rows, rest }: { readonly rows: number; readonly rest: boolean },
): Promise<CoarseChunk | null> {
  await using range = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  const { view } = range;
  if (!(await view.hasDigests())) {
    return null;
  }
  const started = performance.now();
  const through = rest ? null : await view.keyAfter(plan.compared, after, rows);
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
