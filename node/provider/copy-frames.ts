/**
 * What comes over a connection in copy mode, cut where it arrives (PostgreSQL manual, "Message Formats"): CopyData is taken
 * out, everything else goes on to pg as it came. On the way through pg and the library each message of a walsender became
 * three objects, a text of its position and a promise: a microsecond and a kilobyte of garbage, half of what 300,000
 * messages cost.
 */

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
  #needed = 0;

  constructor(events: CopyFrameEvents) {
    this.#events = events;
  }

  /** Nothing of the chunk is kept. @throws what the events throw. */
  push(chunk: Buffer): void {
    const bytes = this.#whole(chunk);
    if (!bytes) {
      return;
    }
    let at = 0;
    let needed = header;
    while (at + header <= bytes.length) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) {
        needed = end - at;
        break;
      }
      this.#take(bytes, at, end);
      at = end;
    }
    if (at < bytes.length) {
      this.#pieces = [Buffer.from(bytes.subarray(at))];
      this.#held = bytes.length - at;
      this.#needed = needed;
    }
  }

  /** Null when the message that is begun goes on behind the chunk. */
  #whole(chunk: Buffer): Buffer | null {
    if (this.#held === 0) {
      return chunk;
    }
    this.#pieces.push(Buffer.from(chunk));
    this.#held += chunk.length;
    if (this.#held < this.#needed) {
      return null;
    }
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#held = 0;
    return bytes;
  }

  #take(bytes: Buffer, at: number, end: number): void {
    if (bytes[at] === copyData) {
      this.#events.copyData(bytes, at + header, end);
    } else {
      this.#events.other(Buffer.from(bytes.subarray(at, end)));
    }
  }
}
