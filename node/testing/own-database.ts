/** A database as its node has it: a pool, the queries over it, and the schema. What else stands in it is for the test. */
import type pg from 'pg';
import { openPool } from '../database/connect.ts';
import { migrate } from '../database/migrate.ts';
import type { Query } from '../database/query.ts';
import { queryOf, tributaryDatabase, type TributaryDatabase } from '../database/tables.ts';
import type { Settings } from './cluster.ts';
import type { TestDatabase } from './database.ts';

export class OwnDatabase implements AsyncDisposable {
  readonly test: TestDatabase;
  readonly pool: pg.Pool;
  readonly database: TributaryDatabase;
  readonly query: Query;

  constructor(test: TestDatabase, options: { max?: number; settings?: Settings } = {}) {
    this.test = test;
    const url = test.url();
    this.pool = openPool({ url, applicationName: 'test', max: 4, ...options });
    this.database = tributaryDatabase(this.pool);
    this.query = queryOf(this.database);
  }

  /** Makes the schema, and names the node. */
  async make(name: string): Promise<void> {
    const client = await this.pool.connect();
    await migrate(client);
    client.release();
    await this.pool.query(`insert into tributary.node (name) values ($1)`, [name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.end();
    await this.test[Symbol.asyncDispose]();
  }
}
