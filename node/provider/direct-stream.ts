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
import { ReadGate } from './read-gate.ts';
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
  readonly answerMs: number;
  readonly log: Log;
}

export class DirectStream {
  readonly #options: DirectStreamOptions;
  readonly #connection: ReplicationConnection;
  readonly #intake: Intake;
  readonly #gate: ReadGate;
  readonly #counts = { bytes: 0, messages: 0, networkMs: 0, decodeMs: 0 };
  #failure: TributaryError | null = null;
  #connected = false;
  #closing = false;
  #wake: (() => void) | null = null;
  #confirmed: Lsn;
  /** As it was when the intake was cleared. */
  #spooling: Lsn | null = null;

  #heardAt: number | null = null;
  #readingAt = 0;
  #statusAt = 0;
  #statusEveryMs = statusIntervalMs(0);
  #ticks: NodeJS.Timeout | null = null;
  #confirmTimer: NodeJS.Timeout | null = null;
  #hasteTimer: NodeJS.Timeout | null = null;

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
      message: (bytes, from, end) => {
        this.#message(bytes, from, end);
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
    this.#gate = new ReadGate({
      pause: () => {
        this.#connection.pause();
      },
      resume: () => {
        this.#connection.resume();
      },
    });
  }

  /** @throws TributaryError as Provider.stream. */
  async start(): Promise<void> {
    const deadline = setTimeout(() => this.abandon(), this.#options.answerMs);
    try {
      await this.#connection.start();
    } catch (error) {
      throw this.#failure ?? providerFailure(error, this.#options.provider, 'asking');
    } finally {
      clearTimeout(deadline);
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

  /** Somebody waits for `position`: the walsender is asked until it has said that it is beyond it. */
  hasten(position: Lsn): void {
    if (this.#intake.hasten(position)) {
      this.#hasteAsk();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#gate.close();
    this.#stopTimers();
    await this.#connection.close(this.#status(false));
    this.#connected = false;
    this.#spooling = this.#intake.spooling;
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
      spooling: this.#spooling ?? this.#intake.spooling,
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

  #message(bytes: Buffer, from: number, end: number): void {
    if (this.#failure || this.#closing) {
      return;
    }
    try {
      this.#counts.messages += 1;
      if (this.#intake.message(bytes, from, end)) {
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
      this.#gate.full();
    }
    this.#gate.read(bytes);
  }

  #relieve(): void {
    if (!this.#intake.full && this.#gate.relieved()) {
      // What was said meanwhile waits in the socket.
      this.#heardAt = performance.now();
    }
  }

  /** Its log may not be written so far yet: asked again, less and less often. */
  #hasteAsk(waitMs = 20): void {
    if (this.#closing || this.#failure || !this.#intake.hastening) {
      return;
    }
    if (this.#intake.keepaliveDue) {
      this.#wake?.();
      return;
    }
    this.#sendStatus(true);
    clearTimeout(this.#hasteTimer ?? undefined);
    this.#hasteTimer = setTimeout(() => {
      this.#hasteAsk(Math.min(2 * waitMs, 1000));
    }, waitMs);
  }

  #tick(): void {
    const now = performance.now();
    const { provider } = this.#options;
    const { fullSince } = this.#gate;
    if (fullSince !== null && now - fullSince > unreadLimitMs) {
      this.#fail(new TributaryError('reader_slow', { provider, queued: this.#intake.held }));
      return;
    }
    const silence = {
      sinceHeardMs: now - (this.#heardAt ?? now),
      limitMs: silenceLimitMs(this.#connection.walSenderTimeoutMs),
      paused: fullSince !== null,
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
    this.#gate.close();
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
    clearTimeout(this.#hasteTimer ?? undefined);
    this.#hasteTimer = null;
  }
}
