/**
 * Messages one behind the other, each with its length in four bytes before it: how they lie in memory and in the
 * spool alike, so that a transaction moves to disk by writing what is there.
 */
import { protocolError } from './reader.ts';

export const frameHeader = 4;

const chunkBytes = 1 << 20;

/** Frames one behind the other in bytes[from, to): a view of them would cost more than they do, where each is small. */
export interface FrameRun {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Owns the copies. A chunk lives as long as anything that points into it. */
export class Arena {
  #chunk: Buffer = Buffer.alloc(0);
  #used = 0;
  /** Where the frames not yet drained begin in the current chunk. */
  #undrainedFrom = 0;
  #undrained: FrameRun[] = [];

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
    if (this.#undrained.length > 0) {
      this.#undrained = [];
    }
    this.#undrainedFrom = this.#used;
  }

  /** The frames since the last mark or drain, which stay as they are. */
  drain(): readonly FrameRun[] {
    this.#keepRun();
    const drained = this.#undrained;
    this.mark();
    return drained;
  }

  #turn(needed: number): void {
    this.#keepRun();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, needed));
    this.#used = 0;
    this.#undrainedFrom = 0;
  }

  #keepRun(): void {
    if (this.#used > this.#undrainedFrom) {
      this.#undrained.push({ bytes: this.#chunk, from: this.#undrainedFrom, to: this.#used });
    }
  }
}

/** Where the frame ends whose content begins at `start`. */
export function frameEnd(bytes: Buffer, start: number): number {
  return start + bytes.readUInt32BE(start - frameHeader);
}

/**
 * Calls `take` with the range of every whole frame of the run and returns where the first incomplete one begins.
 * @throws TributaryError protocol when `take` does.
 */
export function eachFrame(
  { bytes, from, to }: FrameRun,
  take: (start: number, end: number) => void,
): number {
  let at = from;
  while (at + frameHeader <= to) {
    const start = at + frameHeader;
    const end = start + bytes.readUInt32BE(at);
    if (end > to) {
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
