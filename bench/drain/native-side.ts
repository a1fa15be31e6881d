/**
 * PostgreSQL's own subscription: same publication filter, same replica identity, same indexes and server settings. It
 * is held back by `alter subscription disable`.
 */
import pg from 'pg';
import { ident, literal } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { roles } from '../../node/testing/database.ts';
import { until } from '../../node/testing/until.ts';
import { dropDatabase } from '../server.ts';
import { type Course, nativePublication } from './course.ts';
import type { Processes, Side } from './side.ts';
import { tablesSql } from './workload.ts';

export interface NativeOptions {
  readonly course: Course;
  readonly cluster: Cluster;
  readonly format: 'text' | 'binary';
  readonly synchronousCommit: 'off' | 'on';
  /** What stands in the tables is copied first; default: no. */
  readonly copyData?: boolean;
}

export class NativeSide implements Side {
  readonly name: string;
  readonly slot: string;
  readonly #options: NativeOptions;
  #client: pg.Client | null = null;

  constructor(options: NativeOptions) {
    const { format, synchronousCommit, course } = options;
    this.name = `native ${format}, synchronous_commit ${synchronousCommit}`;
    this.slot = `${course.database}_${format}_${synchronousCommit}`;
    this.#options = options;
  }

  get url(): string {
    return this.#options.cluster.url({ database: this.slot });
  }

  async start(): Promise<void> {
    const { course, cluster, format, synchronousCommit, copyData = false } = this.#options;
    await cluster.query(`create database ${ident(this.slot)}`);
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
    await client.query(tablesSql);
    const place = `host=127.0.0.1 port=${course.cluster.port} dbname=${course.database} user=${roles.reader} password=${roles.reader}`;
    await client.query(
      `create subscription ${ident(this.slot)} connection ${literal(place)} publication ${nativePublication}
       with (copy_data = ${copyData}, binary = ${format === 'binary'}, synchronous_commit = ${synchronousCommit})`,
    );
    await course.streaming(this.slot);
  }

  async hold(): Promise<void> {
    await this.#query(`alter subscription ${ident(this.slot)} disable`);
    await this.#options.course.silence(this.slot);
  }

  async release(): Promise<void> {
    await this.#query(`alter subscription ${ident(this.slot)} enable`);
  }

  async processes(): Promise<Processes> {
    const { rows } = await this.#query(
      `select pid from pg_stat_subscription where subname = ${literal(this.slot)} and pid is not null`,
    );
    return { backends: (rows as { pid: number }[]).map(({ pid }) => pid), node: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { cluster } = this.#options;
    if (this.#client) {
      await this.#query(`drop subscription if exists ${ident(this.slot)}`);
      await until(
        async () => {
          const { rows } = await this.#query(
            `select from pg_stat_subscription where subname = ${literal(this.slot)}`,
          );
          return rows.length === 0;
        },
        { what: 'the subscription ends' },
      );
      await this.#client.end();
    }
    await dropDatabase(cluster, this.slot);
  }

  async #query(sql: string): Promise<pg.QueryResult> {
    if (!this.#client) {
      throw new Error(`${this.name} was not started`);
    }
    return await this.#client.query(sql);
  }
}
