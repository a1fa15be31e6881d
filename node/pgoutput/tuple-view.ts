/**
 * A tuple inside the bytes of a row message. Nothing is copied, parsed or remembered: a list of where each column begins,
 * made for every row, cost more than walking to it.
 */
import { protocolError } from './reader.ts';
import type { Slots, Tuple, ValueKind } from './tuple.ts';

const letter = { null: 0x6e, unchanged: 0x75, text: 0x74, binary: 0x62 } as const;

export class TupleView implements Tuple {
  readonly #bytes: Buffer;
  readonly #start: number;

  /** @param start offset of the column count; the tuple has been checked by `tupleEnd`. */
  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#start = start;
  }

  get count(): number {
    return this.#bytes.readUInt16BE(this.#start);
  }

  get hasUnchanged(): boolean {
    const bytes = this.#bytes;
    let at = this.#start + 2;
    for (let left = this.count; left > 0; left -= 1) {
      if (bytes[at] === letter.unchanged) {
        return true;
      }
      at = valueEnd(bytes, at);
    }
    return false;
  }

  kind(column: number): ValueKind {
    const at = this.#at(column);
    switch (this.#bytes[at]) {
      case letter.null:
        return 'null';
      case letter.unchanged:
        return 'unchanged';
      case letter.text:
        return 'text';
      default:
        return 'binary';
    }
  }

  value(column: number): Buffer | null {
    const length = this.byteLength(column);
    if (length < 0) {
      return null;
    }
    const from = this.#at(column) + 5;
    return this.#bytes.subarray(from, from + length);
  }

  latin1(column: number): string {
    const length = this.byteLength(column);
    const from = this.#at(column) + 5;
    return length <= 0 ? '' : this.#bytes.toString('latin1', from, from + length);
  }

  byteLength(column: number): number {
    const at = this.#at(column);
    const kind = this.#bytes[at];
    if (kind === letter.null) {
      return -1;
    }
    if (kind === letter.unchanged) {
      throw new RangeError('an unchanged out-of-line value did not travel');
    }
    return this.#bytes.readInt32BE(at + 1);
  }

  copyValue(column: number, target: Buffer, offset: number): number {
    const length = this.byteLength(column);
    if (length <= 0) {
      return 0;
    }
    const from = this.#at(column) + 5;
    return this.#bytes.copy(target, offset, from, from + length);
  }

  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean {
    const bytes = this.#bytes;
    const own = letter[form];
    let at = this.#start + 2;
    let fits = true;
    for (let column = 0; column < slots.length; column += 1) {
      const slot = slots[column] as number;
      const end = valueEnd(bytes, at);
      if (slot >= 0) {
        const kind = bytes[at];
        if (kind === own) {
          sizes[slot] = (sizes[slot] as number) + end - at - 5;
        } else if (kind === letter.unchanged) {
          throw new RangeError('an unchanged out-of-line value did not travel');
        } else if (kind !== letter.null) {
          fits = false;
        }
      }
      at = end;
    }
    return fits;
  }

  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void {
    const bytes = this.#bytes;
    let at = this.#start + 2;
    for (let column = 0; column < slots.length; column += 1) {
      const slot = slots[column] as number;
      const end = valueEnd(bytes, at);
      if (slot >= 0) {
        const target = targets[slot] as Buffer;
        const to = offsets[slot] as number;
        if (bytes[at] === letter.null) {
          // A length of -1, without a call.
          target[to] = 0xff;
          target[to + 1] = 0xff;
          target[to + 2] = 0xff;
          target[to + 3] = 0xff;
          offsets[slot] = to + 4;
        } else {
          // Length and value lie here as they are wanted there.
          copyBytes(bytes, at + 1, end, { target, to });
          offsets[slot] = to + end - at - 1;
        }
      }
      at = end;
    }
  }

  /** Walks to the column: whoever wants many values of a row asks for them at once. */
  #at(column: number): number {
    if (!(column >= 0 && column < this.count)) {
      throw new RangeError('no such column');
    }
    let at = this.#start + 2;
    for (let left = column; left > 0; left -= 1) {
      at = valueEnd(this.#bytes, at);
    }
    return at;
  }
}

/** Where the value ends whose letter stands at `at`. */
function valueEnd(bytes: Buffer, at: number): number {
  const kind = bytes[at];
  return kind === letter.text || kind === letter.binary ? at + 5 + lengthAt(bytes, at + 1) : at + 1;
}

function lengthAt(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Below this a loop is faster than the call that copies. */
const loopBytes = 40;

function copyBytes(
  bytes: Buffer,
  from: number,
  end: number,
  place: { readonly target: Buffer; readonly to: number },
): void {
  const { target, to } = place;
  if (end - from > loopBytes) {
    bytes.copy(target, to, from, end);
    return;
  }
  for (let at = from; at < end; at += 1) {
    target[to + at - from] = bytes[at] as number;
  }
}

/**
 * Checks every bound of the tuple at `start` and returns where it ends.
 * @throws TributaryError protocol when it reaches beyond `limit`, holds an unknown kind or not `count` columns.
 */
export function tupleEnd(bytes: Buffer, start: number, limit: number, count: number): number {
  let at = start + 2;
  if (at > limit || ((bytes[start] as number) << 8) + (bytes[start + 1] as number) !== count) {
    throw protocolError('tuple', start);
  }
  for (let left = count; left > 0; left -= 1) {
    if (at >= limit) {
      throw protocolError('tuple', at);
    }
    const kind = bytes[at];
    if (kind === letter.text || kind === letter.binary) {
      if (at + 5 > limit) {
        throw protocolError('tuple', at);
      }
      const length = lengthAt(bytes, at + 1);
      if (length < 0) {
        throw protocolError('tuple', at);
      }
      at += 5 + length;
      if (at > limit) {
        throw protocolError('tuple', at);
      }
    } else if (kind === letter.null || kind === letter.unchanged) {
      at += 1;
    } else {
      throw protocolError('tuple', at);
    }
  }
  return at;
}
