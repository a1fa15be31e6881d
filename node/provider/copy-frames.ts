/**
 * What a walsender sends once it streams, cut where it arrives (PostgreSQL manual, "Streaming Replication Protocol"):
 * XLogData and keepalives are taken out, everything else goes on to pg as it came. On the way through pg and the library
 * each message became three objects, a text of its position and a promise: a microsecond and a kilobyte of garbage,
 * half of what 300,000 messages cost.
 */
import { protocolError } from '../pgoutput/reader.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { readLsn } from '../pgoutput/lsn.ts';

const code = { copyData: 0x64, xLogData: 0x77, keepalive: 0x6b } as const;
/** A message's letter and length. */
const header = 5;
/** XLogData's letter, two positions and a time. */
const xLogHeader = 25;
/** A keepalive's letter, position, time and whether an answer is wanted. */
const keepaliveBytes = 18;

export interface CopyFrameEvents {
  /** A pgoutput message in bytes[from, end), which are overwritten when the call returns. */
  message(bytes: Buffer, from: number, end: number): void;
  keepalive(position: Lsn, ask: boolean): void;
  /** Bytes of any other message of the protocol. */
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

  /** @throws TributaryError protocol */
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
      this.#pieces = [bytes.subarray(at)];
      this.#held = bytes.length - at;
      this.#needed = needed;
    }
  }

  /** Null when the message that is begun goes on behind the chunk. */
  #whole(chunk: Buffer): Buffer | null {
    if (this.#held === 0) {
      return chunk;
    }
    this.#pieces.push(chunk);
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
    if (bytes[at] !== code.copyData) {
      this.#events.other(bytes.subarray(at, end));
      return;
    }
    const start = at + header;
    const letter = bytes[start];
    if (end - start < (letter === code.xLogData ? xLogHeader : keepaliveBytes)) {
      throw protocolError('copy data', end - start);
    }
    switch (letter) {
      case code.xLogData:
        this.#events.message(bytes, start + xLogHeader, end);
        return;
      case code.keepalive:
        this.#events.keepalive(readLsn(bytes, start + 1), bytes[start + 17] === 1);
        return;
      default:
        throw protocolError('copy data', 0);
    }
  }
}
