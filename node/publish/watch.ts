/** Looks every minute, as the plain writing role, whether what prepare made still stands. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Topology } from '../config/model.ts';
import { politeLockTimeoutMs } from '../database/connect.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import type { Log } from '../log.ts';
import { readFacts } from './catalogue.ts';
import type { Finding } from './finding.ts';
import { healthOf } from './health.ts';
import { intentOf } from './intent.ts';

export interface PublicationWatchOptions {
  readonly pool: pg.Pool;
  readonly topology: () => Topology;
  readonly node: string;
  readonly log: Log;
  readonly everyMs?: number;
}

/** What is amiss now; empty: all stands. @throws what pg throws when the database does not answer. */
export async function publicationHealth(
  pool: pg.Pool,
  topology: Topology,
  node: string,
): Promise<readonly Finding[]> {
  const intent = intentOf(topology, node);
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(`set lock_timeout = ${politeLockTimeoutMs}`);
    const facts = await readFacts(client, intent);
    await client.query('reset lock_timeout');
    return healthOf(intent, facts);
  } catch (error) {
    failure = error instanceof Error ? error : new Error('not read', { cause: error });
    throw error;
  } finally {
    // After a failure the session is not lent again: it has the short timeout.
    client.release(failure);
  }
}

export class PublicationWatch {
  readonly #options: PublicationWatchOptions;
  #findings: readonly Finding[] = [];

  constructor(options: PublicationWatchOptions) {
    this.#options = options;
  }

  /** As of the last look. */
  findings(): readonly Finding[] {
    return this.#findings;
  }

  /** Until the signal; a database that does not answer is looked at again later. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await pause(this.#options.everyMs ?? 60_000, undefined, { signal }).catch(() => {});
    }
    // A process that no longer serves finds nothing, and would tell for ever what another one has mended.
    this.#findings = [];
  }

  async #look(): Promise<void> {
    const { pool, topology, node, log } = this.#options;
    try {
      const found = await publicationHealth(pool, topology(), node);
      this.#tell(found);
      this.#findings = found;
    } catch (error) {
      const failure = sqlFailure(error);
      log.warn(
        { sqlstate: failure?.sqlstate, socket: failure?.socket },
        'could not look whether the publication stands',
      );
    }
  }

  /** A lost identity stops the application's own work, so it is told at every look; the rest when it is new. */
  #tell(found: readonly Finding[]): void {
    const { log } = this.#options;
    const known = new Set(this.#findings.map(keyOf));
    for (const finding of found) {
      const { code, object, advice } = finding;
      if (code === 'identity_lost' || !known.has(keyOf(finding))) {
        const level = finding.severity === 'error' ? 'error' : 'warn';
        log[level]({ code, object, advice }, finding.problem);
      }
    }
    const now = new Set(found.map(keyOf));
    for (const finding of this.#findings.filter((one) => !now.has(keyOf(one)))) {
      log.info({ code: finding.code, object: finding.object }, 'mended');
    }
  }
}

function keyOf({ code, object }: Finding): string {
  return `${code} ${object}`;
}
