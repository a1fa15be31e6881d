/** Reads the fixed fields of one message with every bound checked: a cut or foreign message is an error, never garbage. */
import { TributaryError } from '../errors.ts';
import type { Lsn } from './lsn.ts';

/** @param what the message, such as `relation`; never content. */
export function protocolError(what: string, at: number): TributaryError {
  return new TributaryError('protocol', { message: what, at });
}

export class Reader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at: number;

  /** Starts behind the tag byte. */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
    this.#at = 1;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  lsn(): Lsn {
    return this.#bytes.readBigUInt64BE(this.#take(8)) as Lsn;
  }

  /** Up to the next zero byte. */
  string(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) {
      throw protocolError(this.#what, this.#at);
    }
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** A copy. */
  bytes(length: number): Buffer {
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  /** Everything must have been read. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw protocolError(this.#what, this.#at);
    }
  }

  fail(): never {
    throw protocolError(this.#what, this.#at);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length < 0 || start + length > this.#bytes.length) {
      throw protocolError(this.#what, start);
    }
    this.#at = start + length;
    return start;
  }
}
