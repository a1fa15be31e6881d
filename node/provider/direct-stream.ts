/**
 * One run of a stream: bytes in, parts out, status by a timer of its own. The socket is paused while the queue is full
 * and never for longer than 10 s: a blocked walsender can hang the provider's checkpointer. Whatever ends the stream,
 * the whole transactions already here are delivered first.
 */
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { Assembler } from '../pgoutput/assembler.ts';
import type { Assembled } from '../pgoutput/assembler.ts';
import { formatLsn, laterOf } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import { providerFailure } from './failure.ts';
import { keepalivePartDue, standbyStatus, statusIntervalMs } from './feedback.ts';
import { isSilent, silenceLimitMs } from './liveness.ts';
import { MemoryPart } from './memory-part.ts';
import type { StreamProgress } from './provider.ts';
import { TransactionQueue } from './queue.ts';
import { ReadPace } from './read-pace.ts';
import { ReplicationConnection } from './replication-connection.ts';
import type { ReplicationOptions } from './replication-connection.ts';
import { Spool, SpooledPart } from './spool.ts';

const unreadLimitMs = 10_000;
/** A status right after each confirmation, but not more often than this. */
const confirmEveryMs = 100;
/** Frames of a detached transaction are gathered up to this before they are written. */
const spoolWriteBytes = 1 << 20;

export interface DirectStreamOptions extends ReplicationOptions {
  readonly provider: string;
  readonly queueBytes: number;
  readonly spoolBytes: number;
  readonly spoolDirectory: string;
  readonly log: Log;
}

type PauseReason = 'full' | 'pace';

export class DirectStream {
  readonly #options: DirectStreamOptions;
  readonly #connection: ReplicationConnection;
  readonly #assembler = new Assembler();
  readonly #queue: TransactionQueue;
  readonly #pace = new ReadPace();
  readonly #paused = new Set<PauseReason>();
  #spool: Spool | null = null;
  #failure: TributaryError | null = null;
  #connected = false;
  #closing = false;
  #wake: (() => void) | null = null;

  #received: Lsn;
  #confirmed: Lsn;
  #walEnd: Lsn;
  #idle: Lsn | null = null;
  #delivered: Lsn;
  #deliveredAt = performance.now();

  #heardAt: number | null = null;
  #fullSince: number | null = null;
  #statusAt = 0;
  #statusEveryMs = statusIntervalMs(0);
  #timers: NodeJS.Timeout[] = [];
  #confirmTimer: NodeJS.Timeout | null = null;
  /** Bytes read in this turn of the event loop; null: its end is not awaited yet. */
  #turnBytes: number | null = null;
  #readingAt = 0;
  readonly #counts = { bytes: 0, messages: 0, networkMs: 0, decodeMs: 0 };

  constructor(options: DirectStreamOptions) {
    this.#options = options;
    this.#received = options.from;
    this.#confirmed = options.from;
    this.#walEnd = options.from;
    this.#delivered = options.from;
    this.#queue = new TransactionQueue(Math.min(4 << 20, Math.ceil(options.queueBytes / 4)));
    this.#connection = new ReplicationConnection(options, {
      message: (view) => {
        this.#message(view);
      },
      keepalive: (position, ask) => {
        this.#keepalive(position, ask);
      },
      reading: () => {
        this.#readingAt = performance.now();
      },
      read: (bytes) => {
        this.#read(bytes);
      },
      ended: (error) => {
        this.#end(error);
      },
    });
  }

  /** @throws TributaryError as Provider.stream. */
  async start(): Promise<void> {
    try {
      await this.#connection.start();
    } catch (error) {
      throw this.#failure ?? providerFailure(error, this.#options.provider, 'asking');
    }
    this.#connected = true;
    this.#heardAt = performance.now();
    this.#statusEveryMs = statusIntervalMs(this.#connection.walSenderTimeoutMs);
    this.#sendStatus(true);
    const tickMs = Math.max(20, Math.min(1000, this.#statusEveryMs / 2));
    this.#timers.push(
      setInterval(() => {
        this.#tick();
      }, tickMs),
    );
  }

  /** The next part; null when the signal aborted. @throws TributaryError after the last whole transaction. */
  async next(signal: AbortSignal): Promise<Part | null> {
    const from = performance.now();
    try {
      for (;;) {
        if (signal.aborted) {
          return null;
        }
        const part = this.#take();
        if (part) {
          return part;
        }
        if (this.#failure) {
          throw this.#failure;
        }
        await this.#something(signal);
      }
    } finally {
      this.#counts.networkMs += performance.now() - from;
    }
  }

  /** Stops at once what is still being opened. */
  abandon(): void {
    this.#connection.destroy();
  }

  confirm(position: Lsn): void {
    if (position <= this.#confirmed) {
      return;
    }
    this.#confirmed = position;
    const wait = this.#statusAt + confirmEveryMs - performance.now();
    if (wait <= 0) {
      this.#sendStatus(false);
    } else if (!this.#confirmTimer && this.#connected) {
      this.#confirmTimer = setTimeout(() => {
        this.#confirmTimer = null;
        this.#sendStatus(false);
      }, wait);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#stopTimers();
    await this.#connection.close(this.#status(false));
    this.#connected = false;
    await this.#queue.clear();
    await this.#spool?.close();
    this.#spool = null;
  }

  progress(): Omit<StreamProgress, 'connections'> {
    return {
      connected: this.#connected,
      received: this.#received,
      confirmed: this.#confirmed,
      walEnd: this.#walEnd,
      heardAt: this.#heardAt,
      bytesReceived: this.#counts.bytes,
      messagesReceived: this.#counts.messages,
      queuedBytes: this.#held(),
      pending: this.#assembler.open || !this.#queue.empty,
      phaseMs: { network: this.#counts.networkMs, decode: this.#counts.decodeMs },
    };
  }

  #take(): Part | null {
    const part = this.#queue.take() ?? this.#keepalivePart();
    if (part) {
      this.#delivered = laterOf(part.position, this.#delivered);
      this.#deliveredAt = performance.now();
      this.#relieve();
    }
    return part;
  }

  #keepalivePart(): Part | null {
    const idle = this.#idle;
    if (idle === null || this.#failure || !this.#keepaliveDue()) {
      return null;
    }
    return new MemoryPart({ transactions: [], position: idle, bytes: 0 });
  }

  #keepaliveDue(): boolean {
    return keepalivePartDue({
      idle: this.#idle,
      delivered: this.#delivered,
      sinceDeliveredMs: performance.now() - this.#deliveredAt,
    });
  }

  async #something(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      resolve();
    };
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    this.#wake = null;
  }

  #message(view: Buffer): void {
    if (this.#failure || this.#closing) {
      return;
    }
    try {
      this.#counts.messages += 1;
      const whole = this.#assembler.push(view);
      if (whole) {
        this.#committed(whole);
      } else if (this.#assembler.detached || this.#assembler.openCost > this.#options.spoolBytes) {
        this.#spill();
      }
    } catch (error) {
      this.#fail(providerFailure(error, this.#options.provider, 'streaming'));
    }
  }

  #committed(whole: Assembled): void {
    const { endLsn } = whole.transaction;
    this.#idle = null;
    this.#received = laterOf(this.#received, endLsn);
    this.#walEnd = laterOf(this.#walEnd, endLsn);
    if (this.#spool && whole.detached) {
      this.#spool.append(this.#assembler.drain(), this.#relieve);
      this.#queue.pushSpooled(new SpooledPart(this.#spool, whole));
      this.#spool = null;
    } else {
      this.#queue.push(whole);
    }
    this.#wake?.();
  }

  /** The open transaction goes to the disk, from its beginning. */
  #spill(): void {
    if (!this.#spool) {
      const relations = this.#assembler.detach();
      this.#spool = Spool.open(this.#options.spoolDirectory, relations, (error) => {
        this.#fail(error);
      });
    }
    if (this.#assembler.openCost >= spoolWriteBytes) {
      this.#spool.append(this.#assembler.drain(), this.#relieve);
    }
  }

  #keepalive(position: Lsn, ask: boolean): void {
    if (this.#failure || this.#closing) {
      return;
    }
    this.#walEnd = laterOf(this.#walEnd, position);
    const idle = this.#assembler.keepalive(position);
    if (idle !== null) {
      this.#received = laterOf(this.#received, idle);
      this.#idle = this.#queue.empty ? idle : null;
    }
    if (ask) {
      this.#sendStatus(false);
    }
    if (this.#keepaliveDue()) {
      this.#wake?.();
    }
  }

  #read(bytes: number): void {
    const now = performance.now();
    this.#heardAt = now;
    this.#counts.bytes += bytes;
    this.#counts.decodeMs += now - this.#readingAt;
    if (this.#isFull()) {
      this.#pause('full');
    }
    // A TLS socket hands over one read in several pieces: the turn of the event loop is what was read at once.
    if (this.#turnBytes === null) {
      setImmediate(() => {
        this.#afterTurn();
      });
    }
    this.#turnBytes = (this.#turnBytes ?? 0) + bytes;
  }

  #afterTurn(): void {
    const pauseMs = this.#pace.afterTurn(this.#turnBytes ?? 0, performance.now());
    this.#turnBytes = null;
    if (pauseMs > 0 && !this.#closing && !this.#failure) {
      this.#pause('pace');
      setTimeout(() => {
        this.#resume('pace');
      }, pauseMs);
    }
  }

  #held(): number {
    return this.#queue.cost + this.#assembler.openCost + (this.#spool?.unwritten ?? 0);
  }

  #isFull(): boolean {
    return this.#queue.holdsSpooled || this.#held() >= this.#options.queueBytes;
  }

  readonly #relieve = (): void => {
    if (this.#paused.has('full') && !this.#isFull()) {
      this.#resume('full');
    }
  };

  #pause(reason: PauseReason): void {
    this.#paused.add(reason);
    if (reason === 'full') {
      this.#fullSince ??= performance.now();
    }
    this.#connection.pause();
  }

  #resume(reason: PauseReason): void {
    this.#paused.delete(reason);
    if (reason === 'full') {
      this.#fullSince = null;
      this.#heardAt = performance.now();
    }
    if (this.#paused.size === 0 && !this.#closing) {
      this.#connection.resume();
    }
  }

  #tick(): void {
    const now = performance.now();
    const { provider } = this.#options;
    if (this.#fullSince !== null && now - this.#fullSince > unreadLimitMs) {
      this.#fail(new TributaryError('reader_slow', { provider, queued: this.#held() }));
      return;
    }
    const silence = {
      sinceHeardMs: now - (this.#heardAt ?? now),
      limitMs: silenceLimitMs(this.#connection.walSenderTimeoutMs),
      paused: this.#fullSince !== null,
    };
    if (isSilent(silence)) {
      this.#fail(
        new TributaryError('link_silent', { provider, silentMs: Math.round(silence.sinceHeardMs) }),
      );
      return;
    }
    if (now - this.#statusAt >= this.#statusEveryMs) {
      this.#sendStatus(true);
    }
    if (this.#keepaliveDue()) {
      this.#wake?.();
    }
  }

  #status(ask: boolean): Buffer {
    const positions = { received: this.#received, confirmed: this.#confirmed };
    return standbyStatus(positions, { nowMs: Date.now(), ask });
  }

  #sendStatus(ask: boolean): void {
    if (this.#connected && !this.#closing) {
      this.#statusAt = performance.now();
      this.#connection.send(this.#status(ask));
    }
  }

  #end(error: Error | null): void {
    if (this.#closing) {
      return;
    }
    const { provider } = this.#options;
    this.#fail(
      error
        ? providerFailure(error, provider, this.#connected ? 'streaming' : 'asking')
        : new TributaryError('link_cut', { provider, reason: 'the walsender ended the copy' }),
    );
  }

  /** The first failure wins. The socket goes at once, what is queued stays. */
  #fail(failure: TributaryError): void {
    if (this.#failure || this.#closing) {
      return;
    }
    this.#failure = failure;
    this.#connected = false;
    this.#stopTimers();
    this.#connection.destroy();
    this.#options.log.debug(
      { code: failure.code, received: formatLsn(this.#received) },
      'the connection of the stream ended',
    );
    this.#wake?.();
  }

  #stopTimers(): void {
    for (const timer of this.#timers) {
      clearInterval(timer);
    }
    this.#timers = [];
    if (this.#confirmTimer) {
      clearTimeout(this.#confirmTimer);
      this.#confirmTimer = null;
    }
  }
}
