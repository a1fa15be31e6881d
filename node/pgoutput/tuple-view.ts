/**
 * A tuple inside the bytes of a row message. Nothing is copied or parsed: the first access walks the columns once and
 * remembers where each begins.
 */
import { protocolError } from './reader.ts';
import type { Tuple, ValueKind } from './tuple.ts';

const letter = { null: 0x6e, unchanged: 0x75, text: 0x74, binary: 0x62 } as const;

export class TupleView implements Tuple {
  readonly #bytes: Buffer;
  readonly #start: number;
  #columns: number[] | null = null;
  #hasUnchanged = false;

  /** @param start offset of the column count; the tuple has been checked by `tupleEnd`. */
  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#start = start;
  }

  get count(): number {
    return this.#bytes.readUInt16BE(this.#start);
  }

  get hasUnchanged(): boolean {
    this.#index();
    return this.#hasUnchanged;
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

  #at(column: number): number {
    const at = (this.#columns ?? this.#index())[column];
    if (at === undefined) {
      throw new RangeError('no such column');
    }
    return at;
  }

  #index(): number[] {
    if (this.#columns) {
      return this.#columns;
    }
    const bytes = this.#bytes;
    const columns: number[] = [];
    let at = this.#start + 2;
    for (let left = this.count; left > 0; left -= 1) {
      columns.push(at);
      const kind = bytes[at];
      if (kind === letter.text || kind === letter.binary) {
        at += 5 + bytes.readInt32BE(at + 1);
      } else {
        at += 1;
        this.#hasUnchanged ||= kind === letter.unchanged;
      }
    }
    this.#columns = columns;
    return columns;
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
      const length =
        ((bytes[at + 1] as number) << 24) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 8) |
        (bytes[at + 4] as number);
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
