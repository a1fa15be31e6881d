/** What a walsender sends once it streams (PostgreSQL manual, "Streaming Replication Protocol"): XLogData and keepalives. */
import { readLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { protocolError } from '../pgoutput/reader.ts';
import { type CopyFrameEvents, CopyFrames } from './copy-frames.ts';

const code = { xLogData: 0x77, keepalive: 0x6b } as const;
/** XLogData's letter, two positions and a time. */
const xLogHeader = 25;
/** A keepalive's letter, position, time and whether an answer is wanted. */
const keepaliveBytes = 18;

export interface StreamFrameEvents extends Pick<CopyFrameEvents, 'other'> {
  /** A pgoutput message in bytes[from, end), which are overwritten when the call returns. */
  message(bytes: Buffer, from: number, end: number): void;
  keepalive(position: Lsn, ask: boolean): void;
}

/** `push` throws TributaryError protocol. */
export function streamFrames(events: StreamFrameEvents): CopyFrames {
  return new CopyFrames({
    copyData: (bytes, from, end) => {
      const letter = bytes[from];
      if (end - from < (letter === code.xLogData ? xLogHeader : keepaliveBytes)) {
        throw protocolError('copy data', end - from);
      }
      switch (letter) {
        case code.xLogData:
          events.message(bytes, from + xLogHeader, end);
          return;
        case code.keepalive:
          events.keepalive(readLsn(bytes, from + 1), bytes[from + 17] === 1);
          return;
        default:
          throw protocolError('copy data', 0);
      }
    },
    other: (bytes) => {
      events.other(bytes);
    },
  });
}
