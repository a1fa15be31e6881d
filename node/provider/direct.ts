/** The provider over connections to its PostgreSQL. */
import { tmpdir } from 'node:os';
import type { Log } from '../log.ts';
import { formatLsn, noLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import { describe } from './describe.ts';
import { openDirectReader } from './direct-reader.ts';
import { DirectStream } from './direct-stream.ts';
import { doubtsOf } from './proof.ts';
import { readFacts } from './proof-facts.ts';
import type {
  Doubt,
  KnownProvider,
  NewSlot,
  Provider,
  ProviderDescription,
  StreamOptions,
  StreamProgress,
} from './provider.ts';
import type { Reader } from './reader.ts';
import { answerMs, openSession, type SessionOptions } from './session.ts';
import { dropSlot, makeSlot } from './slot.ts';

export interface DirectOptions {
  /** The provider's PostgreSQL, as the reading role. */
  readonly url: string;
  /** Name of the node expected there. */
  readonly provider: string;
  /** This node's name. */
  readonly subscriber: string;
  readonly topologyDigest: string;
  /** This program's version, for the log. */
  readonly version: string;
  /** Mark of the queue; default 16 MiB. */
  readonly queueBytes?: number;
  /** A transaction larger than this goes to the spool; default 8 MiB. */
  readonly spoolBytes?: number;
  /** Default: the system's temporary directory. */
  readonly spoolDirectory?: string;
  /** How long a question may stay without answer; default 30 s. */
  readonly answerMs?: number;
  readonly log: Log;
}

/** Opens no connection yet. */
export function openDirect(options: DirectOptions): Provider {
  return new Direct(options);
}

class Direct implements Provider {
  readonly #options: DirectOptions;
  readonly #slot: string;
  readonly #session: Omit<SessionOptions, 'replication'>;
  #stream: DirectStream | null = null;
  #connections = 0;
  #last: Omit<StreamProgress, 'connections'> = nothingYet;

  constructor(options: DirectOptions) {
    this.#options = options;
    this.#slot = `tributary_${options.subscriber}`;
    this.#session = {
      url: options.url,
      applicationName: `tributary ${options.subscriber} ${options.topologyDigest}`,
      provider: options.provider,
      answerMs: options.answerMs ?? answerMs,
    };
  }

  async describe(): Promise<ProviderDescription> {
    return await describe(this.#session);
  }

  async prove(known: KnownProvider): Promise<readonly Doubt[]> {
    return doubtsOf(known, await readFacts(this.#session, known));
  }

  async makeSlot(): Promise<NewSlot> {
    return await makeSlot({ ...this.#session, slot: this.#slot });
  }

  async dropSlot(): Promise<void> {
    await dropSlot({ ...this.#session, slot: this.#slot });
  }

  async *stream(from: Lsn, options: StreamOptions): AsyncGenerator<Part, void, undefined> {
    const { signal, format } = options;
    if (signal.aborted) {
      return;
    }
    const stream = this.#open(from, format);
    const abandon = (): void => {
      stream.abandon();
    };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      const started = await startUnless(stream, signal);
      signal.removeEventListener('abort', abandon);
      if (!started) {
        return;
      }
      for (;;) {
        const part = await stream.next(signal);
        if (part === null) {
          return;
        }
        try {
          yield part;
        } finally {
          await part.release();
        }
      }
    } finally {
      signal.removeEventListener('abort', abandon);
      await stream.close();
      this.#last = stream.progress();
      this.#stream = null;
    }
  }

  confirm(position: Lsn): void {
    this.#stream?.confirm(position);
  }

  progress(): StreamProgress {
    return { ...(this.#stream?.progress() ?? this.#last), connections: this.#connections };
  }

  hasten(position: Lsn): void {
    this.#stream?.hasten(position);
  }

  async isLevel(since: Lsn): Promise<boolean> {
    await using session = await openSession({ ...this.#session, replication: false });
    const rows = await session.ask<{ level: boolean }>(
      'select tributary.level_since($1) as level',
      [formatLsn(since)],
    );
    return rows[0]?.level ?? false;
  }

  async openReader(): Promise<Reader> {
    return await openDirectReader(this.#session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.close();
  }

  #open(from: Lsn, format: StreamOptions['format']): DirectStream {
    const { queueBytes, spoolBytes, spoolDirectory, log, version } = this.#options;
    if (this.#stream) {
      throw new RangeError('one stream at a time');
    }
    this.#connections += 1;
    this.#stream = new DirectStream({
      ...this.#session,
      slot: this.#slot,
      from,
      format,
      queueBytes: queueBytes ?? 16 << 20,
      spoolBytes: spoolBytes ?? 8 << 20,
      spoolDirectory: spoolDirectory ?? tmpdir(),
      log: log.child({ provider: this.#options.provider, version }),
    });
    return this.#stream;
  }
}

/** False when the signal ended the attempt: that is no failure. */
async function startUnless(stream: DirectStream, signal: AbortSignal): Promise<boolean> {
  try {
    await stream.start();
    return true;
  } catch (error) {
    if (signal.aborted) {
      return false;
    }
    throw error;
  }
}

const nothingYet: Omit<StreamProgress, 'connections'> = {
  connected: false,
  received: noLsn,
  confirmed: noLsn,
  walEnd: noLsn,
  heardAt: null,
  bytesReceived: 0,
  messagesReceived: 0,
  queuedBytes: 0,
  pending: false,
  spooling: null,
  phaseMs: { network: 0, decode: 0 },
};
