/**
 * Everything between the socket and the parts: messages to transactions, whole ones into the queue, one too large for
 * memory into the spool, and the keepalive's position while nothing else is here.
 */
import type { TributaryError } from '../errors.ts';
import { Assembler } from '../pgoutput/assembler.ts';
import type { Assembled } from '../pgoutput/assembler.ts';
import { laterOf, noLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import { keepalivePartDue } from './feedback.ts';
import { MemoryPart } from './memory-part.ts';
import { TransactionQueue } from './queue.ts';
import { Spool, SpooledPart } from './spool.ts';

/** Frames of a transaction on its way to the spool are gathered up to this before they are written. */
const writeBytes = 1 << 20;
const partBytes = 2 << 20;
/**
 * A transaction of more changes goes to the disk, too, however few bytes they are: it waits as bytes, but when it is applied
 * at once each change is some hundred bytes more.
 */
const spoolSteps = 50_000;

export interface IntakeOptions {
  readonly from: Lsn;
  readonly queueBytes: number;
  /** A transaction larger than this goes to the disk. */
  readonly spoolBytes: number;
  readonly spoolDirectory: string;
  /** Memory became free without a part being taken. */
  readonly onRelief: () => void;
  /** The disk refused. */
  readonly onFailure: (error: TributaryError) => void;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #assembler = new Assembler();
  readonly #queue: TransactionQueue;
  /** Less than the queue holds: an open transaction alone must never fill it, or nothing would make room. */
  readonly #spoolBytes: number;
  readonly #writeBytes: number;
  #spool: Spool | null = null;
  #received: Lsn;
  #walEnd: Lsn;
  #idle: Lsn | null = null;
  #delivered: Lsn;
  #deliveredAt = performance.now();
  /** Somebody waits for the stream to pass it. */
  #wanted: Lsn = noLsn;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#received = options.from;
    this.#walEnd = options.from;
    this.#delivered = options.from;
    const quarter = Math.ceil(options.queueBytes / 4);
    this.#queue = new TransactionQueue(Math.min(partBytes, quarter));
    this.#spoolBytes = Math.min(options.spoolBytes, 2 * quarter);
    this.#writeBytes = Math.min(writeBytes, quarter);
  }

  /** End of what came whole. */
  get received(): Lsn {
    return this.#received;
  }

  get walEnd(): Lsn {
    return this.#walEnd;
  }

  get pending(): boolean {
    return this.#assembler.open || !this.#queue.empty;
  }

  /** Commit position of the transaction that goes to the disk and is not whole; null: there is none. */
  get spooling(): Lsn | null {
    return this.#assembler.detached ? this.#assembler.openCommit : null;
  }

  /** Bytes of memory. */
  get held(): number {
    return this.#queue.cost + this.#assembler.openCost + (this.#spool?.unwritten ?? 0);
  }

  /** No more should be read. A spooled transaction that waits counts too: else the disk had no bound. */
  get full(): boolean {
    return this.#queue.holdsSpooled || this.held >= this.#options.queueBytes;
  }

  /** A keepalive's position is worth a part. */
  get keepaliveDue(): boolean {
    return keepalivePartDue({
      idle: this.#idle,
      delivered: this.#delivered,
      wanted: this.#wanted,
      sinceDeliveredMs: performance.now() - this.#deliveredAt,
    });
  }

  /** A keepalive at or beyond `position` is worth a part at once. False: the stream is there already. */
  hasten(position: Lsn): boolean {
    this.#wanted = laterOf(this.#wanted, position);
    return this.hastening;
  }

  get hastening(): boolean {
    return this.#wanted > this.#delivered;
  }

  /**
   * Takes a copy of the message in bytes[from, end); true when it was the end of a transaction.
   * @throws TributaryError protocol | spool_full
   */
  message(bytes: Buffer, from: number, end: number): boolean {
    const whole = this.#assembler.push(bytes, from, end);
    if (whole) {
      this.#committed(whole);
      return true;
    }
    const { detached, openCost, openSteps } = this.#assembler;
    if (detached || openCost > this.#spoolBytes || openSteps > spoolSteps) {
      this.#spill();
    }
    return false;
  }

  keepalive(position: Lsn): void {
    this.#walEnd = laterOf(this.#walEnd, position);
    const idle = this.#assembler.keepalive(position);
    if (idle !== null) {
      this.#received = laterOf(this.#received, idle);
      this.#idle = this.#queue.empty ? idle : null;
    }
  }

  /** Whole transactions if any wait. */
  take(): Part | null {
    return this.#deliver(this.#queue.take());
  }

  takeKeepalive(): Part | null {
    if (this.#idle === null || !this.keepaliveDue) {
      return null;
    }
    return this.#deliver(new MemoryPart(this.#idle, null));
  }

  async clear(): Promise<void> {
    await this.#queue.clear();
    await this.#spool?.close();
    this.#spool = null;
  }

  #deliver(part: Part | null): Part | null {
    if (part) {
      this.#delivered = laterOf(part.position, this.#delivered);
      this.#deliveredAt = performance.now();
    }
    return part;
  }

  #committed(whole: Assembled): void {
    const { endLsn } = whole;
    this.#idle = null;
    this.#received = laterOf(this.#received, endLsn);
    this.#walEnd = laterOf(this.#walEnd, endLsn);
    if (this.#spool && whole.detached) {
      this.#spool.append(this.#assembler.drain(), this.#options.onRelief);
      this.#queue.pushSpooled(new SpooledPart(this.#spool, whole));
      // crash point: spool-whole
      this.#spool = null;
    } else {
      this.#queue.push(whole);
    }
  }

  /** The open transaction goes to the disk, from its beginning. */
  #spill(): void {
    if (!this.#spool) {
      const { spoolDirectory, onFailure } = this.#options;
      this.#spool = Spool.open(spoolDirectory, this.#assembler.detach(), onFailure);
      // crash point: spool-begun
    }
    if (this.#assembler.openCost >= this.#writeBytes) {
      // crash point: spool-grown
      this.#spool.append(this.#assembler.drain(), this.#options.onRelief);
    }
  }
}
