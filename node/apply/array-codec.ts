/**
 * One-dimensional arrays in PostgreSQL's binary form (array_send, src/backend/utils/adt/arrayfuncs.c): dimensions, a
 * null flag, the element type, then length and lower bound, then each element with its length. Element bytes pass
 * through untouched: the text of a value is the binary form of type text.
 */

import type { Tuple } from '../pgoutput/tuple.ts';

export const textOid = 25;

const maxBytes = 0x3fff_ffff;

/**
 * One column of many rows as an array, each value copied once, from the message to the parameter.
 * @throws RangeError beyond what a parameter can hold (1 GiB), or for an unchanged value.
 */
export function encodeColumn(tuples: readonly Tuple[], column: number, elementOid: number): Buffer {
  let size = 20 + 4 * tuples.length;
  let hasNull = false;
  for (const tuple of tuples) {
    const length = tuple.byteLength(column);
    if (length < 0) {
      hasNull = true;
    } else {
      size += length;
    }
  }
  const out = header({ size, hasNull, elementOid, count: tuples.length });
  let at = 20;
  for (const tuple of tuples) {
    const length = tuple.byteLength(column);
    out.writeInt32BE(length, at);
    at += 4;
    if (length > 0) {
      at += tuple.copyValue(column, out, at);
    }
  }
  return out;
}

export function encodeTextArray(texts: readonly string[]): Buffer {
  const elements = texts.map((text) => Buffer.from(text));
  const size = elements.reduce((sum, element) => sum + 4 + element.length, 20);
  const out = header({ size, hasNull: false, elementOid: textOid, count: elements.length });
  let at = 20;
  for (const element of elements) {
    out.writeInt32BE(element.length, at);
    at += 4 + element.copy(out, at + 4);
  }
  return out;
}

interface Header {
  readonly size: number;
  readonly hasNull: boolean;
  readonly elementOid: number;
  readonly count: number;
}

function header({ size, hasNull, elementOid, count }: Header): Buffer {
  if (size > maxBytes) {
    throw new RangeError('an array parameter is larger than 1 GiB');
  }
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(hasNull ? 1 : 0, 4);
  out.writeUInt32BE(elementOid, 8);
  out.writeInt32BE(count, 12);
  out.writeInt32BE(1, 16);
  return out;
}
