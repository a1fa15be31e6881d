/**
 * Messages one behind the other, each with its length in four bytes before it: how they lie in memory and in the
 * spool alike, so that a transaction moves to disk by writing what is there.
 */
import { protocolError } from './reader.ts';

export const frameHeader = 4;

const chunkBytes = 1 << 20;

/** Owns the copies. A chunk lives as long as anything that points into it. */
export class Arena {
  #chunk: Buffer = Buffer.alloc(0);
  #used = 0;
  /** Where the frames not yet drained begin in the current chunk. */
  #undrainedFrom = 0;
  #undrained: Buffer[] = [];

  get chunk(): Buffer {
    return this.#chunk;
  }

  /** Copies the message in bytes[from, end) behind the last; returns where it begins in `chunk`. */
  append(bytes: Buffer, from: number, end: number): number {
    const needed = frameHeader + end - from;
    if (this.#used + needed > this.#chunk.length) {
      this.#turn(needed);
    }
    const start = this.#used + frameHeader;
    this.#chunk.writeUInt32BE(end - from, this.#used);
    bytes.copy(this.#chunk, start, from, end);
    this.#used += needed;
    return start;
  }

  /** What was appended so far is of no interest to the next `drain`. */
  mark(): void {
    this.#undrained = [];
    this.#undrainedFrom = this.#used;
  }

  /** The frames since the last mark or drain, as views that stay valid. */
  drain(): Buffer[] {
    const drained = this.#undrained;
    if (this.#used > this.#undrainedFrom) {
      drained.push(this.#chunk.subarray(this.#undrainedFrom, this.#used));
    }
    this.mark();
    return drained;
  }

  #turn(needed: number): void {
    if (this.#used > this.#undrainedFrom) {
      this.#undrained.push(this.#chunk.subarray(this.#undrainedFrom, this.#used));
    }
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, needed));
    this.#used = 0;
    this.#undrainedFrom = 0;
  }
}

/** Where the frame ends whose content begins at `start`. */
export function frameEnd(bytes: Buffer, start: number): number {
  return start + bytes.readUInt32BE(start - frameHeader);
}

/**
 * Calls `take` with the range of every whole frame in bytes[0, length) and returns where the first incomplete one
 * begins. @throws TributaryError protocol when `take` does.
 */
export function eachFrame(bytes: Buffer, take: (start: number, end: number) => void): number {
  let at = 0;
  while (at + frameHeader <= bytes.length) {
    const start = at + frameHeader;
    const end = start + bytes.readUInt32BE(at);
    if (end > bytes.length) {
      break;
    }
    if (end === start) {
      throw protocolError('frame', at);
    }
    take(start, end);
    at = end;
  }
  return at;
}
