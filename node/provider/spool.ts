/**
 * A transaction larger than memory, in a file without a name: whatever kills this process, the file is gone with it.
 * Written while it comes, read in slices afterwards, as often as wanted.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, unlinkSync, write, read, close } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TributaryError } from '../errors.ts';
import type { FrameRun } from '../pgoutput/frames.ts';
import { readFrames } from '../pgoutput/read-frames.ts';
import type { Assembled } from '../pgoutput/assembler.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { protocolError } from '../pgoutput/reader.ts';
import type { RelationMap } from '../pgoutput/row-change.ts';

const writeAll = promisify(write);
const readSome = promisify(read);
const closeFile = promisify(close);

export const sliceBytes = 4 << 20;

export class Spool {
  readonly #descriptor: number;
  readonly #relations: RelationMap;
  readonly #onFailure: (error: TributaryError) => void;
  #written: Promise<void> = Promise.resolve();
  #size = 0;
  #unwritten = 0;
  #failure: TributaryError | null = null;
  #closed = false;

  private constructor(
    descriptor: number,
    relations: RelationMap,
    onFailure: (error: TributaryError) => void,
  ) {
    this.#descriptor = descriptor;
    this.#relations = relations;
    this.#onFailure = onFailure;
  }

  /**
   * @param relations in force at the transaction's begin; onFailure is called once when the disk refuses
   * @throws TributaryError spool_full when no file can be made
   */
  static open(
    directory: string,
    relations: RelationMap,
    onFailure: (error: TributaryError) => void,
  ): Spool {
    const path = join(
      directory,
      `tributary-spool-${process.pid}-${randomBytes(6).toString('hex')}`,
    );
    try {
      mkdirSync(directory, { recursive: true });
      const descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return new Spool(descriptor, relations, onFailure);
    } catch (error) {
      throw refused(error);
    }
  }

  /** Bytes handed over that are not in the file yet: they still occupy memory. */
  get unwritten(): number {
    return this.#unwritten;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends; the bytes must not change any more. `then` is called when they are in the file. */
  append(runs: readonly FrameRun[], then: () => void): void {
    for (const { bytes, from, to } of runs) {
      const buffer = bytes.subarray(from, to);
      const at = this.#size;
      this.#size += buffer.length;
      this.#unwritten += buffer.length;
      this.#written = this.#written.then(async () => {
        await this.#write(buffer, at);
        this.#unwritten -= buffer.length;
        then();
      });
    }
  }

  /** The steps in slices of about 4 MiB, each a transaction with the same outline. @throws TributaryError spool_full */
  async *slices(outline: Transaction): AsyncGenerator<readonly Transaction[]> {
    await this.#written;
    let relations = this.#relations;
    let at = 0;
    let wanted = sliceBytes;
    while (at < this.#size) {
      this.#check();
      const bytes = await this.#read(at, Math.min(wanted, this.#size - at));
      const { steps, length, ...rest } = readFrames(
        { bytes, from: 0, to: bytes.length },
        relations,
      );
      ({ relations } = rest);
      if (length === 0 && at + bytes.length === this.#size) {
        throw protocolError('spool', at);
      }
      if (length === 0) {
        wanted = Math.max(wanted * 2, 4 + bytes.readUInt32BE(0));
        continue;
      }
      at += length;
      wanted = sliceBytes;
      if (steps.length > 0) {
        yield [{ ...outline, changes: steps }];
      }
    }
  }

  /** Gives back the disk space. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#written;
      await closeFile(this.#descriptor).catch(() => {});
    }
  }

  async #write(buffer: Buffer, at: number): Promise<void> {
    let done = 0;
    while (done < buffer.length && !this.#failure && !this.#closed) {
      try {
        const { bytesWritten } = await writeAll(
          this.#descriptor,
          buffer,
          done,
          buffer.length - done,
          at + done,
        );
        done += bytesWritten;
      } catch (error) {
        this.#failure = refused(error);
        this.#onFailure(this.#failure);
      }
    }
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await readSome(
        this.#descriptor,
        bytes,
        done,
        length - done,
        at + done,
      ).catch((error: unknown) => {
        throw refused(error);
      });
      if (bytesRead === 0) {
        throw new TributaryError('spool_full', { reason: 'short file' });
      }
      done += bytesRead;
    }
    return bytes;
  }

  #check(): void {
    if (this.#failure) {
      throw this.#failure;
    }
    if (this.#closed) {
      throw new RangeError('the part was released');
    }
  }
}

export class SpooledPart implements Part {
  readonly position: Part['position'];
  readonly transactionCount = 1;
  readonly bytes: number;
  readonly spooled = true;
  readonly #spool: Spool;
  readonly #outline: Transaction;

  constructor(spool: Spool, { xid, commitLsn, endLsn, commitTime, bytes }: Assembled) {
    this.#spool = spool;
    this.#outline = { xid, commitLsn, endLsn, commitTime, changes: [] };
    this.position = endLsn;
    this.bytes = bytes;
  }

  slices(): AsyncIterable<readonly Transaction[]> {
    return this.#spool.slices(this.#outline);
  }

  async release(): Promise<void> {
    await this.#spool.close();
  }
}

function refused(error: unknown): TributaryError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return new TributaryError('spool_full', { reason: code }, { cause: error });
}
