/**
 * One-dimensional arrays in PostgreSQL's binary form (array_send, src/backend/utils/adt/arrayfuncs.c): dimensions, a
 * null flag, the element type, then length and lower bound, then each element with its length. Element bytes pass
 * through untouched: the text of a value is the binary form of type text.
 */

export const textOid = 25;

/** @throws RangeError beyond what a parameter can hold (1 GiB). */
export function encodeArray(elements: readonly (Buffer | null)[], elementOid: number): Buffer {
  let size = 20;
  let hasNull = 0;
  for (const element of elements) {
    size += 4;
    if (element === null) {
      hasNull = 1;
    } else {
      size += element.length;
    }
  }
  if (size > 0x3fff_ffff) {
    throw new RangeError('an array parameter is larger than 1 GiB');
  }
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(hasNull, 4);
  out.writeUInt32BE(elementOid, 8);
  out.writeInt32BE(elements.length, 12);
  out.writeInt32BE(1, 16);
  let at = 20;
  for (const element of elements) {
    if (element === null) {
      out.writeInt32BE(-1, at);
      at += 4;
    } else {
      out.writeInt32BE(element.length, at);
      element.copy(out, at + 4);
      at += 4 + element.length;
    }
  }
  return out;
}

export function encodeTextArray(texts: readonly string[]): Buffer {
  return encodeArray(
    texts.map((text) => Buffer.from(text)),
    textOid,
  );
}
