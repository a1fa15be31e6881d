/**
 * COPY to here as one piece: pg's answer to each row would be a message, a buffer and an event, and a first copy is a
 * million of them. What a CopyData message holds is laid one behind the other, everything else goes on to pg as it came.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import type { BufferPool } from '../pgoutput/buffer-pool.ts';
import { CopyFrames } from './copy-frames.ts';
import { lend } from './read-socket.ts';

/** What we use of pg's Connection, which its types leave out. */
interface Wire {
  readonly stream: Socket;
  query(text: string): void;
}

export interface CopyOutOptions {
  /** Where the answer goes, of a size that will do; a larger one is taken where it does not. */
  readonly buffers: BufferPool;
  readonly expectedBytes: number;
  /** Bytes came. */
  readonly heard: () => void;
}

/** The last message of an answer, also of a failed one. */
const readyForQuery = 0x5a;

/** The whole answer of `copy ... to stdout`, of the pool. @throws the error of pg or of the connection */
export async function copyOut(
  client: pg.Client,
  text: string,
  options: CopyOutOptions,
): Promise<Buffer> {
  const query = new CopyOut(text, options);
  client.query(query);
  return await query.answer;
}

class CopyOut extends pg.Query {
  readonly answer: Promise<Buffer>;
  readonly #text: string;
  readonly #buffers: BufferPool;
  readonly #heard: () => void;
  #bytes: Buffer;
  #length = 0;

  constructor(text: string, { buffers, expectedBytes, heard }: CopyOutOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    super({ text }, (error: Error | undefined) => {
      if (error) {
        reject(error);
      } else {
        resolve(this.#bytes.subarray(0, this.#length));
      }
    });
    this.#text = text;
    this.#heard = heard;
    this.#buffers = buffers;
    this.#bytes = buffers.take(expectedBytes);
    this.answer = promise;
  }

  override submit = (connection: unknown): void => {
    const wire = connection as Wire;
    const { stream } = wire;
    const listeners = stream.listeners('data') as ((bytes: Buffer) => void)[];
    const frames = new CopyFrames({
      copyData: (bytes, from, end) => {
        this.#add(bytes, from, end);
      },
      other: (bytes) => {
        if (bytes[0] === readyForQuery) {
          // Before pg hears it, for it may begin the next query at once.
          stream.off('data', take);
          lend(stream, false);
          listeners.forEach((listener) => stream.on('data', listener));
        }
        listeners.forEach((listener) => {
          listener.call(stream, bytes);
        });
      },
    });
    const take = (bytes: Buffer): void => {
      this.#heard();
      frames.push(bytes);
    };
    listeners.forEach((listener) => stream.off('data', listener));
    stream.on('data', take);
    lend(stream, true);
    wire.query(this.#text);
  };

  #add(bytes: Buffer, from: number, end: number): void {
    const length = this.#length + end - from;
    if (length > this.#bytes.length) {
      const larger = this.#buffers.take(Math.max(2 * this.#bytes.length, length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#buffers.give(this.#bytes);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#length, from, end);
    this.#length = length;
  }
}
