/**
 * A subscription of pglogical, as a superuser makes one. Its filter looks at the new row only: an approval by update is an
 * update of a row that is not there, which it skips, and a withdrawal is not sent. So it is compared, and may be wrong.
 */
import pg from 'pg';
import { ident, literal } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { superuser } from '../../node/testing/data-directory.ts';
import { until } from '../../node/testing/until.ts';
import { dropDatabase } from '../server.ts';
import type { Course } from './course.ts';
import type { Processes, Side } from './side.ts';
import { filter, tablesSql } from './workload.ts';

const subscription = 'records';

export class PglogicalSide implements Side {
  readonly name = 'pglogical';
  readonly mayDiffer = true;
  readonly #course: Course;
  readonly #cluster: Cluster;
  readonly #database: string;
  #client: pg.Client | null = null;
  #slot = '';

  constructor({ course, cluster }: { readonly course: Course; readonly cluster: Cluster }) {
    this.#course = course;
    this.#cluster = cluster;
    this.#database = `${course.database}_pglogical`;
  }

  get url(): string {
    return this.#cluster.url({ database: this.#database });
  }

  get slot(): string {
    return this.#slot;
  }

  async start(): Promise<void> {
    await this.#course.query(`create extension pglogical`);
    await this.#course.query(
      `select pglogical.create_node('provider', ${literal(placeOf(this.#course.cluster, this.#course.database))})`,
    );
    await this.#course.query(
      `select pglogical.replication_set_add_table('default', 'public.record', row_filter => ${literal(filter)}),
         pglogical.replication_set_add_table('default', 'public.marker')`,
    );
    await this.#cluster.query(`create database ${ident(this.#database)}`);
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
    await client.query(tablesSql);
    await client.query(`create extension pglogical`);
    await client.query(
      `select pglogical.create_node('subscriber', ${literal(placeOf(this.#cluster, this.#database))})`,
    );
    await client.query(
      `select pglogical.create_subscription(${literal(subscription)}, ${literal(placeOf(this.#course.cluster, this.#course.database))},
         synchronize_data => false)`,
    );
    const { rows } = await client.query<{ slot: string }>(
      `select sub_slot_name as slot from pglogical.subscription`,
    );
    this.#slot = rows[0]?.slot ?? '';
    await this.#course.streaming(this.slot);
  }

  async hold(): Promise<void> {
    await this.#query(
      `select pglogical.alter_subscription_disable(${literal(subscription)}, true)`,
    );
    await this.#course.silence(this.slot);
  }

  async release(): Promise<void> {
    await this.#query(`select pglogical.alter_subscription_enable(${literal(subscription)}, true)`);
  }

  async processes(): Promise<Processes> {
    const { rows } = await this.#query(
      `select pid from pg_stat_activity
       where datname = current_database() and backend_type like 'pglogical apply%'`,
    );
    return { backends: (rows as { pid: number }[]).map(({ pid }) => pid), node: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#client) {
      await this.#query(`select pglogical.drop_subscription(${literal(subscription)}, true)`);
      await until(async () => (await this.processes()).backends.length === 0, {
        what: 'the subscription of pglogical ends',
      });
      await this.#client.end();
      await this.#course.query(`drop extension pglogical cascade`);
    }
    await dropDatabase(this.#cluster, this.#database);
  }

  async #query(sql: string): Promise<pg.QueryResult> {
    if (!this.#client) {
      throw new Error(`${this.name} was not started`);
    }
    return await this.#client.query(sql);
  }
}

function placeOf(cluster: Cluster, database: string): string {
  return `host=127.0.0.1 port=${cluster.port} dbname=${database} user=${superuser.name} password=${superuser.password}`;
}
