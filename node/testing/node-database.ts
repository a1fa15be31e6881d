/** The database of one node of a test tree: in a cluster of its own, which a test may kill. */
import pg from 'pg';
import { clientConfig } from '../database/connect.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { createRoles, roles } from './database.ts';

const name = 'records';

export class NodeDatabase implements AsyncDisposable {
  readonly cluster: Cluster;
  /** As the superuser, under the output settings by which values are compared. */
  #pool: pg.Pool | null = null;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async create(options: ClusterOptions): Promise<NodeDatabase> {
    const cluster = await Cluster.start(options);
    await createRoles(async (sql) => await cluster.query(sql));
    await cluster.query(`create database ${name} owner ${roles.owner}`);
    return new NodeDatabase(cluster);
  }

  /** Over a copied cluster, which is to be started by the caller. */
  static over(cluster: Cluster): NodeDatabase {
    return new NodeDatabase(cluster);
  }

  url(role?: string, port: number = this.cluster.port): string {
    return this.cluster.url({ database: name, port, ...(role ? { user: role } : {}) });
  }

  async query<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]> {
    const { rows } = await this.pool.query<R>(sql, values);
    return rows;
  }

  get pool(): pg.Pool {
    if (!this.#pool) {
      const applicationName = 'tributary test';
      this.#pool = new pg.Pool({ ...clientConfig({ url: this.url(), applicationName }), max: 6 });
      this.#pool.on('error', () => {});
    }
    return this.#pool;
  }

  /** Ends every connection of `query`, as a copy of the database needs it; the next query opens new ones. */
  async letGo(): Promise<void> {
    await this.#pool?.end();
    this.#pool = null;
  }

  /** A change behind the node's back: no trigger of ours or the application's fires. */
  async queryBehind(sql: string): Promise<void> {
    await this.query(`begin; set local session_replication_role = replica; ${sql}; commit`);
  }

  /** A session of one's own; ended by the caller. */
  async client(role?: string): Promise<pg.Client> {
    const client = new pg.Client(
      clientConfig({ url: this.url(role), applicationName: 'tributary test' }),
    );
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.end().catch(() => {});
    await this.cluster[Symbol.asyncDispose]();
  }
}
