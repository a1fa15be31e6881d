/** A short connection to the provider for questions; its failures leave as errors of the catalogue. */
import pg from 'pg';
import { clientConfig, politeLockTimeoutMs } from '../database/connect.ts';
import { providerFailure } from './failure.ts';
import type { Phase } from './failure.ts';

export interface SessionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly provider: string;
  /** A walsender session: replication commands and statements without parameters only. */
  readonly replication: boolean;
  /** How long an answer may take. */
  readonly answerMs: number;
}

/** A link that swallows packets without a word would else hold a question for as long as the kernel sends again. */
export const answerMs = 30_000;

export interface Session extends AsyncDisposable {
  /** One statement; parameters not in a walsender session. */
  ask<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export async function openSession(
  options: SessionOptions,
  phase: Phase = 'asking',
): Promise<Session> {
  const config: pg.ClientConfig & { replication?: 'database' } = {
    ...clientConfig({
      ...options,
      // A new slot waits for what runs, however long.
      settings: phase === 'making the slot' ? {} : { lock_timeout: politeLockTimeoutMs },
    }),
    query_timeout: options.answerMs,
  };
  if (options.replication) {
    config.replication = 'database';
  }
  const client = new pg.Client(config);
  // The failure of the statement that runs, or of the next, says the same.
  client.on('error', () => {});
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw providerFailure(error, options.provider, phase);
    }
  };
  await guarded(client.connect());
  return {
    async ask<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
      const { rows } = await guarded(
        values ? client.query<Row>(sql, [...values]) : client.query<Row>(sql),
      );
      return rows;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await client.end().catch(() => {});
    },
  };
}
