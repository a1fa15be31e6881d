/**
 * One run of a stream: bytes in, parts out, status by a timer of its own. The socket is paused while the queue is full
 * and never for longer than 10 s: a blocked walsender can hang the provider's checkpointer. Whatever ends the stream,
 * the whole transactions already here are delivered first.
 */
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { formatLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import { providerFailure } from './failure.ts';
import { standbyStatus, statusIntervalMs } from './feedback.ts';
import { Intake } from './intake.ts';
import { isSilent, silenceLimitMs } from './liveness.ts';
import type { StreamProgress } from './provider.ts';
import { ReadPace } from './read-pace.ts';
import { ReplicationConnection } from './replication-connection.ts';
import type { ReplicationOptions } from './replication-connection.ts';

/** How long the socket may be left unread. */
const unreadLimitMs = 10_000;
/** A status right after each confirmation, but not more often than this. */
const confirmEveryMs = 100;

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
  readonly #intake: Intake;
  readonly #pace = new ReadPace();
  readonly #paused = new Set<PauseReason>();
  readonly #counts = { bytes: 0, messages: 0, networkMs: 0, decodeMs: 0 };
  #failure: TributaryError | null = null;
  #connected = false;
  #closing = false;
  #wake: (() => void) | null = null;
  #confirmed: Lsn;

  #heardAt: number | null = null;
  #fullSince: number | null = null;
  #readingAt = 0;
  /** Bytes read in this turn of the event loop; null: none yet. */
  #turnBytes: number | null = null;
  #statusAt = 0;
  #statusEveryMs = statusIntervalMs(0);
  #ticks: NodeJS.Timeout | null = null;
  #confirmTimer: NodeJS.Timeout | null = null;

  constructor(options: DirectStreamOptions) {
    this.#options = options;
    this.#confirmed = options.from;
    this.#intake = new Intake({
      ...options,
      onRelief: () => {
        this.#relieve();
      },
      onFailure: (error) => {
        this.#fail(error);
      },
    });
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
    this.#ticks = setInterval(() => {
      this.#tick();
    }, tickMs);
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

  /** Ends at once what is still being opened. */
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
    await this.#intake.clear();
  }

  progress(): Omit<StreamProgress, 'connections'> {
    return {
      connected: this.#connected,
      received: this.#intake.received,
      confirmed: this.#confirmed,
      walEnd: this.#intake.walEnd,
      heardAt: this.#heardAt,
      bytesReceived: this.#counts.bytes,
      messagesReceived: this.#counts.messages,
      queuedBytes: this.#intake.held,
      pending: this.#intake.pending,
      phaseMs: { network: this.#counts.networkMs, decode: this.#counts.decodeMs },
    };
  }

  #take(): Part | null {
    const part = this.#intake.take() ?? (this.#failure ? null : this.#intake.takeKeepalive());
    if (part) {
      this.#relieve();
    }
    return part;
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
      if (this.#intake.message(view)) {
        this.#wake?.();
      }
    } catch (error) {
      this.#fail(providerFailure(error, this.#options.provider, 'streaming'));
    }
  }

  #keepalive(position: Lsn, ask: boolean): void {
    if (this.#failure || this.#closing) {
      return;
    }
    this.#intake.keepalive(position);
    if (ask) {
      this.#sendStatus(false);
    }
    if (this.#intake.keepaliveDue) {
      this.#wake?.();
    }
  }

  #read(bytes: number): void {
    const now = performance.now();
    this.#heardAt = now;
    this.#counts.bytes += bytes;
    this.#counts.decodeMs += now - this.#readingAt;
    if (this.#intake.full) {
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

  #relieve(): void {
    if (this.#paused.has('full') && !this.#intake.full) {
      this.#resume('full');
    }
  }

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
      this.#fail(new TributaryError('reader_slow', { provider, queued: this.#intake.held }));
      return;
    }
    const silence = {
      sinceHeardMs: now - (this.#heardAt ?? now),
      limitMs: silenceLimitMs(this.#connection.walSenderTimeoutMs),
      paused: this.#fullSince !== null,
    };
    if (isSilent(silence)) {
      const silentMs = Math.round(silence.sinceHeardMs);
      this.#fail(new TributaryError('link_silent', { provider, silentMs }));
      return;
    }
    if (now - this.#statusAt >= this.#statusEveryMs) {
      this.#sendStatus(true);
    }
    if (this.#intake.keepaliveDue) {
      this.#wake?.();
    }
  }

  #status(ask: boolean): Buffer {
    const positions = { received: this.#intake.received, confirmed: this.#confirmed };
    return standbyStatus(positions, { nowMs: Date.now(), ask });
  }

  #sendStatus(ask: boolean): void {
    if (this.#connected && !this.#closing) {
      this.#statusAt = performance.now();
      this.#connection.send(this.#status(ask));
    }
  }

  #end(error: Error | null): void {
    const { provider } = this.#options;
    const phase = this.#connected ? 'streaming' : 'asking';
    this.#fail(
      error
        ? providerFailure(error, provider, phase)
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
      { code: failure.code, received: formatLsn(this.#intake.received) },
      'the connection of the stream ended',
    );
    this.#wake?.();
  }

  #stopTimers(): void {
    clearInterval(this.#ticks ?? undefined);
    clearTimeout(this.#confirmTimer ?? undefined);
    this.#confirmTimer = null;
  }
}
