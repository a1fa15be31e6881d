/**
 * A physical streaming standby, and its promotion. As after pg_basebackup it has none of the primary's slots. It receives
 * by a link of its own, so that it can be made to lag behind.
 */
import { appendFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restore } from './backup.ts';
import { Cluster } from './cluster.ts';
import { own, superuser } from './data-directory.ts';
import { Proxy } from './proxy.ts';
import { until } from './until.ts';

export interface StandbyOptions {
  /** From PostgreSQL 17 on: the database whose slots the standby keeps copies of. */
  readonly slotsOf?: string;
}

/** Its slot at the primary, by which copies of logical slots are kept. */
const physicalSlot = 'standby';

export class Standby implements AsyncDisposable {
  readonly #primary: Cluster;
  readonly #cluster: Cluster;
  readonly #link: Proxy;

  private constructor(primary: Cluster, cluster: Cluster, link: Proxy) {
    this.#primary = primary;
    this.#cluster = cluster;
    this.#link = link;
  }

  /** Follows when it resolves. The primary is stopped for the copy. */
  static async of(primary: Cluster, options: StandbyOptions = {}): Promise<Standby> {
    if (options.slotsOf) {
      await primary.query(`select pg_create_physical_replication_slot('${physicalSlot}', true)`);
    }
    await primary.stop();
    const cluster = await Cluster.copyOf(primary);
    await primary.start();
    const link = await Proxy.start({ to: () => primary.port });
    const standby = new Standby(primary, cluster, link);
    await forgetSlots(cluster);
    await follow(cluster, link.port, options);
    await cluster.start();
    await standby.caughtUp();
    return standby;
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#cluster.query(sql);
    return rows as Record<string, unknown>[];
  }

  /** All the primary has written by now is replayed. */
  async caughtUp(): Promise<void> {
    const { rows } = await this.#primary.query(`select pg_current_wal_insert_lsn()::text as lsn`);
    const [{ lsn }] = rows as [{ lsn: string }];
    await until(
      async () => {
        const [row] = await this.query(
          `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as reached`,
        );
        return row?.['reached'];
      },
      { what: 'the standby has replayed what the primary wrote', ms: 60_000 },
    );
  }

  /** From now on nothing reaches it. */
  async cutOff(): Promise<void> {
    this.#link.refuse();
    await until(
      async () =>
        (await this.query(`select from pg_stat_wal_receiver where status = 'streaming'`)).length ===
        0,
      { what: 'the standby receives nothing' },
    );
  }

  /** The copy it keeps of a logical slot would outlive the primary. */
  async keepsSlot(slot: string): Promise<void> {
    await until(
      async () =>
        (
          await this.query(
            `select from pg_replication_slots where slot_name = '${slot}' and synced and not temporary`,
          )
        ).length === 1,
      { what: `the standby keeps ${slot}`, ms: 120_000 },
    );
  }

  /** The primary is gone for good; the standby is promoted, and answers at the primary's address. */
  async takeOver(): Promise<void> {
    await promote(this.#cluster);
    await this.#standIn();
  }

  /** The primary is gone for good; the standby answers at its address, and only shows what it has received. */
  async standIn(): Promise<void> {
    this.#link.refuse();
    await this.#standIn();
  }

  async #standIn(): Promise<void> {
    if (this.#primary.running) {
      throw new Error('the primary runs');
    }
    await this.#cluster.stop();
    await restore(this.#primary, this.#cluster);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    await this.#link[Symbol.asyncDispose]();
  }
}

/** As an operator does it; returns when the server takes changes. */
export async function promote(cluster: Cluster): Promise<void> {
  await cluster.query(`select pg_promote(true, 60)`);
  await until(
    async () => (await cluster.query(`select where not pg_is_in_recovery()`)).rowCount === 1,
    { what: 'the standby is promoted', ms: 60_000 },
  );
}

async function forgetSlots({ directory }: Cluster): Promise<void> {
  const slots = join(directory, 'pg_replslot');
  for (const name of await readdir(slots)) {
    await rm(join(slots, name), { recursive: true });
  }
}

async function follow(
  { directory }: Cluster,
  port: number,
  { slotsOf }: StandbyOptions,
): Promise<void> {
  const connection = `host=127.0.0.1 port=${port} user=${superuser.name} password=${superuser.password}`;
  const lines = slotsOf
    ? [
        `primary_conninfo = '${connection} dbname=${slotsOf}'`,
        `primary_slot_name = '${physicalSlot}'`,
        `hot_standby_feedback = on`,
        `sync_replication_slots = on`,
      ]
    : [`primary_conninfo = '${connection}'`];
  await appendFile(join(directory, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  const signal = join(directory, 'standby.signal');
  await writeFile(signal, '');
  await own(signal);
}
