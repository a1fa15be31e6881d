/**
 * The one connection of an applier. Statements are prepared once by their text, and sent without waiting for the answer
 * of the one before (pg's pipeline): what is called in one tick is one round trip, and one write.
 */
import pg from 'pg';
import { clientConfig } from '../database/connect.ts';
import { bindWithoutCopies } from './bind-message.ts';
import { reuse } from './copy-codec.ts';
import { CopyIn } from './copy-in.ts';

export type Query = (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>;

/** A COPY from what is sent with it: whole CopyData messages. */
export type Copy = (
  text: string,
  messages: Buffer,
) => Promise<{ readonly rowCount: number | null }>;

export interface SessionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly lockTimeoutMs: number;
}

/**
 * A generic plan of a set-based statement is chosen once, perhaps while the table is empty: without these it may be a
 * sequential scan for ever. Every row of a set is found by its key, in the order of the key.
 */
const planning = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  enable_memoize: 'off',
  jit: 'off',
} as const;

/** Prepared statements of one session; beyond it the statements are sent unnamed. */
const maxPrepared = 1000;

/** More than this does not wait for the end of the tick. */
const heldBytes = 64 * 1024;

/** What we use of pg's Connection, which its types leave out. */
interface Wire {
  readonly stream: {
    readonly writableLength: number;
    cork(): void;
    uncork(): void;
    destroy(): void;
  };
}

/** How long a session may take to end; a statement that runs longer is abandoned and rolls back. */
const endMs = 2000;

export class Session implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #names = new Map<string, string>();
  #counter = 0;
  #lost = false;
  #holding = false;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** @throws the database's error. */
  static async open(options: SessionOptions): Promise<Session> {
    const client = new pg.Client({
      ...clientConfig({
        url: options.url,
        applicationName: options.applicationName,
        settings: {
          ...planning,
          session_replication_role: 'replica',
          row_security: 'off',
          // Off, a null in an array would be stored as the text NULL.
          array_nulls: 'on',
          lock_timeout: options.lockTimeoutMs,
          statement_timeout: 0,
          // Between two statements of a part lie milliseconds: a process that stands still must not hold its locks.
          idle_in_transaction_session_timeout: 60_000,
          synchronous_commit: 'on',
        },
      }),
      pipeline: true,
    });
    const session = new Session(client);
    // The next statement reports it; without a listener it would end the process.
    client.on('error', () => {
      session.#lost = true;
    });
    bindWithoutCopies(client);
    await client.connect();
    return session;
  }

  /** The connection is gone; open a new session. */
  get lost(): boolean {
    return this.#lost;
  }

  /** A statement with parameters, prepared by its text. */
  readonly query: Query = async (text, values = []) => {
    this.#hold();
    const name = this.#name(text);
    return await this.#client.query(
      name === null ? { text, values: [...values] } : { name, text, values: [...values] },
    );
  };

  readonly copy: Copy = async (text, messages) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ rowCount: number | null }>();
    const copy = new CopyIn(text, messages, (error, result) =>
      error ? reject(error) : resolve(result),
    );
    this.#hold();
    this.#client.query(copy);
    const result = await promise;
    // After a failure some of it may still be on its way.
    reuse(messages);
    return result;
  };

  /** A statement without parameters and rows, such as begin. */
  async command(text: string): Promise<void> {
    this.#hold();
    await this.#client.query(text);
  }

  /** Plans made before the catalogue changed are not used again. */
  forgetPlans(): void {
    this.#names.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lost = true;
    const ended = this.#client.end().catch(() => {});
    const deadline = setTimeout(() => this.#destroy(), endMs);
    await ended;
    clearTimeout(deadline);
  }

  /** A write by itself wakes the server for a `begin`, and costs more than to make the statement behind it. */
  #hold(): void {
    const { stream } = this.#wire;
    if (!this.#holding) {
      this.#holding = true;
      stream.cork();
      process.nextTick(() => {
        this.#holding = false;
        stream.uncork();
      });
    } else if (stream.writableLength > heldBytes) {
      stream.uncork();
      stream.cork();
    }
  }

  /** A server that does not answer would hold the goodbye back for ever. pg has no public way to say so. */
  #destroy(): void {
    this.#wire.stream.destroy();
  }

  get #wire(): Wire {
    return (this.#client as unknown as { readonly connection: Wire }).connection;
  }

  #name(text: string): string | null {
    const known = this.#names.get(text);
    if (known) {
      return known;
    }
    if (this.#counter >= maxPrepared) {
      return null;
    }
    this.#counter += 1;
    const name = `t${this.#counter}`;
    this.#names.set(text, name);
    return name;
  }
}
