/**
 * One-dimensional arrays in PostgreSQL's binary form (array_send, src/backend/utils/adt/arrayfuncs.c): dimensions, a
 * null flag, the element type, then length and lower bound, then each element with its length. Element bytes pass
 * through untouched: the text of a value is the binary form of type text.
 */

import { slotsFor, type Tuple } from '../pgoutput/tuple.ts';

export const textOid = 25;

const maxBytes = 0x3fff_ffff;
const headerBytes = 20;

/** What columns of many rows become: which columns, in which form, and the element type of each array. */
export interface ArraysOptions {
  readonly columns: readonly number[];
  readonly form: 'text' | 'binary';
  readonly elementOids: readonly number[];
}

/**
 * Columns of many rows as one array each; every value is copied once, from the message to the parameter. Null when a
 * value has another form. @throws RangeError beyond what a parameter can hold (1 GiB), or for an unchanged value.
 */
export function encodeColumns(
  tuples: readonly Tuple[],
  { columns, form, elementOids }: ArraysOptions,
): readonly Buffer[] | null {
  const slots = slotsFor(columns, tuples[0]?.count ?? 0, 'own');
  const sizes = new Uint32Array(columns.length).fill(headerBytes + 4 * tuples.length);
  let fits = true;
  for (const tuple of tuples) {
    fits = tuple.measure(slots, form, sizes) && fits;
  }
  if (!fits) {
    return null;
  }
  const arrays = elementOids.map((elementOid, slot) =>
    header({ size: sizes[slot] ?? 0, elementOid, count: tuples.length }),
  );
  const offsets = new Uint32Array(columns.length).fill(headerBytes);
  for (const tuple of tuples) {
    tuple.scatter(slots, arrays, offsets);
  }
  return arrays;
}

export function encodeTextArray(texts: readonly string[]): Buffer {
  const elements = texts.map((text) => Buffer.from(text));
  const size = elements.reduce((sum, element) => sum + 4 + element.length, headerBytes);
  const out = header({ size, elementOid: textOid, count: elements.length });
  let at = headerBytes;
  for (const element of elements) {
    out.writeInt32BE(element.length, at);
    at += 4 + element.copy(out, at + 4);
  }
  return out;
}

interface Header {
  readonly size: number;
  readonly elementOid: number;
  readonly count: number;
}

function header({ size, elementOid, count }: Header): Buffer {
  if (size > maxBytes) {
    throw new RangeError('an array parameter is larger than 1 GiB');
  }
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(1, 0);
  // PostgreSQL demands 0 or 1 here and looks at the elements themselves.
  out.writeInt32BE(1, 4);
  out.writeUInt32BE(elementOid, 8);
  out.writeInt32BE(count, 12);
  out.writeInt32BE(1, 16);
  return out;
}
