/** The provider of a drain: its database, the backlog in it, and what its slots and walsenders say. */
import pg from 'pg';
import { ident, literal } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { until } from '../../node/testing/until.ts';
import { dropDatabase } from '../server.ts';
import { filter, proceduresSql, tablesSql } from './workload.ts';

export interface Walsender {
  readonly pid: number;
  /** Milliseconds since 1970 when it was forked. */
  readonly startedAt: number;
  readonly clientPort: number;
}

export const nativePublication = 'native';

export class Course implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly database: string;
  readonly #client: pg.Client;
  #marker = 0;

  private constructor(cluster: Cluster, database: string, client: pg.Client) {
    this.cluster = cluster;
    this.database = database;
    this.#client = client;
  }

  /** Tables and procedures; publications come once the replica identity stands. */
  static async create(cluster: Cluster, database: string): Promise<Course> {
    await cluster.query(`create database ${ident(database)}`);
    const client = new pg.Client({ connectionString: cluster.url({ database }) });
    client.on('error', () => {});
    await client.connect();
    await client.query(tablesSql);
    await client.query(proceduresSql);
    return new Course(cluster, database, client);
  }

  get url(): string {
    return this.cluster.url({ database: this.database });
  }

  /** The same tables, filter and replica identity as Tributary's own publication. */
  async publishForNative(): Promise<void> {
    await this.query(
      `create publication ${nativePublication} for table public.record where (${filter}), table public.marker`,
    );
  }

  async query<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
    return (await this.#client.query<R>(sql)).rows;
  }

  /** Runs the calls, then commits a marker that no side has before all of it. Returns the marker. */
  async work(calls: readonly string[]): Promise<number> {
    await this.query(`set synchronous_commit = off`);
    for (const call of calls) {
      await this.query(call);
    }
    this.#marker += 1;
    await this.query(`set synchronous_commit = on`);
    await this.query(`insert into public.marker values (${this.#marker})`);
    return this.#marker;
  }

  async walsender(slot: string): Promise<Walsender | null> {
    const [row] = await this.query<{ pid: number; started: number; port: number }>(
      `select r.pid, extract(epoch from r.backend_start)::float8 * 1000 as started, r.client_port as port
       from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid
       where s.slot_name = ${literal(slot)} and r.state in ('catchup', 'streaming')`,
    );
    return row ? { pid: row.pid, startedAt: row.started, clientPort: row.port } : null;
  }

  async streaming(slot: string): Promise<Walsender> {
    return await until(async () => await this.walsender(slot), {
      what: `${slot} streams`,
      ms: 60_000,
      everyMs: 10,
    });
  }

  /**
   * A walsender reads from where the slot's last snapshot of running transactions stands, which is logged every 15 s: until
   * one is behind what is written by now, each lap would decode that once more.
   */
  async movesOn(slot: string): Promise<void> {
    const [row] = await this.query<{ at: string }>(`select pg_current_wal_lsn()::text as at`);
    await until(
      async () => {
        // A checkpoint logs one, too; PostgreSQL 15 has no function for it.
        await this.query(
          this.cluster.major < 16 ? `checkpoint` : `select pg_log_standby_snapshot()`,
        );
        const found = await this.query(
          `select from pg_replication_slots
           where slot_name = ${literal(slot)} and restart_lsn >= ${literal(row?.at ?? '')}`,
        );
        return found.length === 1;
      },
      { what: `${slot} has moved on`, ms: 60_000, everyMs: 200 },
    );
  }

  /** Ends the walsender if one runs, and waits until the slot is free. */
  async silence(slot: string): Promise<void> {
    await until(
      async () => {
        const rows = await this.query<{ pid: number | null }>(
          `select active_pid as pid from pg_replication_slots where slot_name = ${literal(slot)}`,
        );
        const pid = rows[0]?.pid ?? null;
        if (pid !== null) {
          await this.query(`select pg_terminate_backend(${pid})`);
        }
        return pid === null;
      },
      { what: `${slot} is free`, ms: 30_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
    await dropDatabase(this.cluster, this.database);
  }
}
