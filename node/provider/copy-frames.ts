/**
 * What comes over a connection in copy mode, cut where it arrives (PostgreSQL manual, "Message Formats"): CopyData is taken
 * out, everything else goes on to pg as it came. On the way through pg and the library each message of a walsender became
 * three objects, a text of its position and a promise: a microsecond and a kilobyte of garbage, half of what 300,000
 * messages cost.
 */
import { protocolError } from '../pgoutput/reader.ts';

const copyData = 0x64;
/** A message's letter and length. */
const header = 5;

export interface CopyFrameEvents {
  /** What a CopyData message holds is bytes[from, end); they are overwritten when the call returns. */
  copyData(bytes: Buffer, from: number, end: number): void;
  /** Bytes of any other message of the protocol, to keep. */
  other(bytes: Buffer): void;
}

export class CopyFrames {
  readonly #events: CopyFrameEvents;
  /** The beginning of a message whose end has not come: a large one is put together once, not at every read. */
  #pieces: Buffer[] = [];
  #held = 0;
  /** Bytes of that message; 0: not known yet. */
  #needed = 0;

  constructor(events: CopyFrameEvents) {
    this.#events = events;
  }

  /** Nothing of the chunk is kept. @throws TributaryError protocol, and what the events throw. */
  push(chunk: Buffer): void {
    let at = this.#held > 0 ? this.#complete(chunk) : 0;
    while (at + header <= chunk.length) {
      const end = frameEnd(chunk, at);
      if (end > chunk.length) {
        break;
      }
      this.#take(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) {
      this.#keep(chunk, at, Number.POSITIVE_INFINITY);
    }
  }

  /**
   * Takes out the message that is begun, once its end has come; returns where the next begins. Only this one is copied: when
   * all of a read was put behind the piece that was left, that was a tenth of node's time for a backlog.
   */
  #complete(chunk: Buffer): number {
    let at = this.#keep(chunk, 0, header);
    if (this.#held < header) {
      return at;
    }
    if (this.#needed === 0) {
      this.#needed = frameEnd(Buffer.concat(this.#pieces), 0);
    }
    at = this.#keep(chunk, at, this.#needed);
    if (this.#held === this.#needed) {
      const bytes = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#held = 0;
      this.#needed = 0;
      this.#take(bytes, 0, bytes.length);
    }
    return at;
  }

  /** Keeps a copy of what follows, until so many bytes are held; returns what comes behind it. */
  #keep(chunk: Buffer, at: number, held: number): number {
    const end = Math.min(chunk.length, Math.max(at, at + held - this.#held));
    if (end > at) {
      this.#pieces.push(Buffer.from(chunk.subarray(at, end)));
      this.#held += end - at;
    }
    return end;
  }

  #take(bytes: Buffer, at: number, end: number): void {
    if (bytes[at] === copyData) {
      this.#events.copyData(bytes, at + header, end);
    } else {
      this.#events.other(Buffer.from(bytes.subarray(at, end)));
    }
  }
}

/** @throws TributaryError protocol for a length less than its own. */
function frameEnd(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at + 1);
  if (length < header - 1) {
    throw protocolError('message', at);
  }
  return at + 1 + length;
}
