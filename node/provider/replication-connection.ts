/**
 * One replication connection from START_REPLICATION to its end: the only place that knows pg-logical-replication, which
 * opens the connection and cuts XLogData and keepalive frames. Everything else of it is switched off, because it
 * confirms one byte too much, confirms what was only received, and answers no keepalive; the status is our own.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import { clientConfig } from '../database/connect.ts';
import { ident, literal } from '../database/ident.ts';
import { formatLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { lend, readSocket } from './read-socket.ts';
import { streamFrames } from './stream-frames.ts';

export const publicationName = 'tributary_up';

const closeMs = 2000;
const connectTimeoutMs = 10_000;

export interface ReplicationOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly slot: string;
  readonly from: Lsn;
  readonly format: 'text' | 'binary';
}

/** All called synchronously from the socket; none may throw. */
export interface ReplicationEvents {
  /** A pgoutput message in bytes[from, end), which are overwritten when the call returns. */
  message(bytes: Buffer, from: number, end: number): void;
  keepalive(position: Lsn, ask: boolean): void;
  /** Before and after the messages of one read of the socket. */
  reading(): void;
  read(bytes: number): void;
  /** Once: the copy ended (null) or failed. */
  ended(error: Error | null): void;
}

/** What we use of pg's Connection, which its types leave out. */
interface Wire {
  readonly stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  on(event: 'error', listener: () => void): void;
}

export class ReplicationConnection {
  readonly #options: ReplicationOptions;
  readonly #events: ReplicationEvents;
  readonly #socket = readSocket();
  readonly #service: LogicalReplicationService;
  #wire: Wire | null = null;
  #ended = false;
  #walSenderTimeoutMs = 0;
  #finished: Promise<void> = Promise.resolve();

  constructor(options: ReplicationOptions, events: ReplicationEvents) {
    this.#options = options;
    this.#events = events;
    this.#service = new LogicalReplicationService(
      {
        ...clientConfig({
          url: options.url,
          applicationName: options.applicationName,
          connectTimeoutMs,
        }),
        // Our own socket can be destroyed at any moment, also while it connects.
        stream: () => this.#socket,
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: false } },
    );
  }

  /** Milliseconds; 0: none. Known once started. */
  get walSenderTimeoutMs(): number {
    return this.#walSenderTimeoutMs;
  }

  /** Resolves when the walsender streams. @throws the error of pg or the socket. */
  async start(): Promise<void> {
    const service = this.#service;
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    service.on('start', () => {
      resolve();
    });
    const end = (error: Error | null): void => {
      reject(error ?? new Error('Connection terminated'));
      if (!this.#ended) {
        this.#ended = true;
        this.#events.ended(error);
      }
    };
    service.on('error', end);
    this.#finished = service
      .subscribe(this.#plugin(), this.#options.slot, formatLsn(this.#options.from))
      .then(
        () => {
          end(null);
        },
        (error: unknown) => {
          end(error instanceof Error ? error : new Error('not an error'));
        },
      );
    await started;
  }

  send(status: Buffer): void {
    if (!this.#ended) {
      this.#wire?.sendCopyFromChunk(status);
    }
  }

  pause(): void {
    this.#wire?.stream.pause();
  }

  resume(): void {
    this.#wire?.stream.resume();
  }

  /** At once, without a word to the walsender, which ends when its next write fails. */
  destroy(): void {
    this.#wire?.stream.destroy();
    this.#socket.destroy();
  }

  /** Last status, end of copy, end of connection; at most 2 s for each of the two ends. */
  async close(status: Buffer): Promise<void> {
    if (this.#wire && !this.#ended && this.#wire.stream.writable) {
      this.send(status);
      this.resume();
      this.#wire.endCopyFrom();
      await within(this.#finished);
    }
    await within(this.#service.stop());
    // The library has taken its listeners away; an error that comes after that would end the process.
    this.#wire?.on('error', () => {});
    if (!this.#socket.destroyed) {
      this.#socket.destroy();
      await within(once(this.#socket, 'close'));
    }
  }

  /** The plugin is structural: its base class is not exported. */
  #plugin(): Parameters<LogicalReplicationService['subscribe']>[0] {
    return {
      options: {},
      name: 'pgoutput',
      start: async (client: Client, slot: string, lsn: string) => {
        await this.#begin(client, slot, lsn);
      },
      // Nothing reaches it: messages are taken out before.
      parse: () => null,
    };
  }

  async #begin(client: Client, slot: string, lsn: string): Promise<void> {
    const wire = (client as unknown as { readonly connection: Wire }).connection;
    wire.on('error', () => {});
    const { rows } = await client.query<{ ms: string }>(
      `select setting as ms from pg_catalog.pg_settings where name = 'wal_sender_timeout'`,
    );
    this.#walSenderTimeoutMs = Number(rows[0]?.ms ?? 0);
    this.#wire = wire;
    this.#takeOver(wire.stream);
    const binary = this.#options.format === 'binary' ? `, binary 'true'` : '';
    await client.query(
      `START_REPLICATION SLOT ${ident(slot)} LOGICAL ${lsn} (proto_version '1', publication_names ${literal(ident(publicationName))}, messages 'true'${binary})`,
    );
  }

  /** From here on what streams is cut before it reaches pg, which still hears the rest: errors and the end. */
  #takeOver(socket: Socket): void {
    const rest = socket.listeners('data');
    const frames = streamFrames({
      message: (bytes, from, end) => {
        this.#events.message(bytes, from, end);
      },
      keepalive: (position, ask) => {
        this.#events.keepalive(position, ask);
      },
      other: (bytes) => {
        rest.forEach((listener) => void listener.call(socket, bytes));
      },
    });
    socket.removeAllListeners('data');
    lend(socket, true);
    socket.on('data', (bytes: Buffer) => {
      this.#events.reading();
      try {
        frames.push(bytes);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error('not an error'));
      }
      this.#events.read(bytes.length);
    });
  }
}

async function within(work: Promise<unknown>): Promise<void> {
  const deadline = new AbortController();
  await Promise.race([
    work.catch(() => {}),
    pause(closeMs, undefined, { signal: deadline.signal }).catch(() => {}),
  ]);
  deadline.abort();
}
