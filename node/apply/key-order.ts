/**
 * Rows in the order of their keys, nearly: rows that are neighbours in the key's index go in together, which saves
 * 15 to 22 % of the server's time. A few bytes behind what all keys have in common decide, and then how the rows came.
 * Nothing depends on the order but speed.
 */
import { slotsFor, type Tuple } from '../pgoutput/tuple.ts';
import type { KeyColumns } from './row-key.ts';

/** Bits of a whole number in a double. */
const exactBits = 53;

export interface KeyOrder {
  readonly columns: KeyColumns;
  /** Of the keys' values. */
  readonly form: 'text' | 'binary';
}

/** `items` in the order of the keys in `tuples`, one for each. */
export function inKeyOrder<Item>(
  items: readonly Item[],
  tuples: readonly Tuple[],
  { columns, form }: KeyOrder,
): readonly Item[] {
  const keys = tuples.length > 2 ? keysOf(tuples, columns, form) : null;
  if (!keys) {
    return items;
  }
  const from = commonBytes(keys);
  const placeBits = Math.ceil(Math.log2(tuples.length));
  const places = 2 ** placeBits;
  const prefixBytes = (exactBits - placeBits) >> 3;
  // Prefix and place in one number: numbers alone are sorted without a call for each comparison.
  const order = new Float64Array(tuples.length);
  for (let at = 0; at < tuples.length; at += 1) {
    const start = (keys.starts[at] as number) + from;
    const prefix = prefixOf(keys.bytes, { start, end: keys.starts[at + 1] as number, prefixBytes });
    order[at] = prefix * places + at;
  }
  order.sort();
  return Array.from(order, (each) => items[each % places] as Item);
}

interface Keys {
  /** Key behind key, each value with its length before it. */
  readonly bytes: Buffer;
  /** Where each begins, and where the last ends. */
  readonly starts: Uint32Array;
}

/** Null when a key has another form. */
function keysOf(
  tuples: readonly Tuple[],
  columns: KeyColumns,
  form: 'text' | 'binary',
): Keys | null {
  const slots = slotsFor(columns, tuples[0]?.count ?? 0, 'one');
  const size = new Uint32Array(1);
  for (const tuple of tuples) {
    if (!tuple.measure(slots, form, size)) {
      return null;
    }
  }
  const bytes = Buffer.allocUnsafeSlow((size[0] ?? 0) + 4 * columns.length * tuples.length);
  const offset = new Uint32Array(1);
  const starts = new Uint32Array(tuples.length + 1);
  const targets = [bytes];
  tuples.forEach((tuple, at) => {
    tuple.scatter(slots, targets, offset);
    starts[at + 1] = offset[0] ?? 0;
  });
  return { bytes, starts };
}

function commonBytes({ bytes, starts }: Keys): number {
  let common = starts[1] ?? 0;
  for (let each = 1; each + 1 < starts.length && common > 0; each += 1) {
    const start = starts[each] as number;
    let at = 0;
    while (at < common && bytes[start + at] === bytes[at]) {
      at += 1;
    }
    common = at;
  }
  return common;
}

function prefixOf(
  bytes: Buffer,
  key: { readonly start: number; readonly end: number; readonly prefixBytes: number },
): number {
  let prefix = 0;
  for (let at = key.start; at < key.start + key.prefixBytes; at += 1) {
    prefix = prefix * 256 + (at < key.end ? (bytes[at] as number) : 0);
  }
  return prefix;
}
