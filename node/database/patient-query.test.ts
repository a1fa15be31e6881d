/** Statements that take as long as a table is large, beside small ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDatabase } from '../testing/database.ts';
import { OwnDatabase } from '../testing/own-database.ts';
import { until } from '../testing/until.ts';
import { patientQuery } from './patient-query.ts';
import { queryOf } from './tables.ts';

class Node extends OwnDatabase {
  static async create(): Promise<Node> {
    return new Node(await TestDatabase.create(), { settings: { statement_timeout: 300 }, max: 6 });
  }

  /** How many of the pool's connections are with a statement that never ends. */
  async busy(): Promise<number> {
    const { rows } = await this.test.query(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()`,
    );
    return (rows as { count: number }[])[0]?.count ?? -1;
  }
}

/** A second and more. */
const long = `select count(*)::int as count from generate_series(1, 8000000)`;
const never = 'select pg_sleep(3600)';

void test('it is not ended by the time a small statement may take, and the next one on its connection is', async () => {
  await using node = await Node.create();
  const small = queryOf(node.database);
  await assert.rejects(small(long), { code: '57014' });
  const patient = patientQuery(node.database, new AbortController().signal);
  assert.deepEqual((await patient(long)).rows, [{ count: 8_000_000 }]);
  await assert.rejects(small(long), { code: '57014' });
});

void test('the signal ends those that run and those that wait, and there is always a connection for a small statement', async () => {
  await using node = await Node.create();
  const ended = new AbortController();
  const patient = patientQuery(node.database, ended.signal);
  const running = Array.from({ length: 9 }, async () => await patient(never));
  const ends = Promise.allSettled(running);
  await until(async () => (await node.busy()) === 3, { what: 'they run' });
  const { rows } = await queryOf(node.database)('select 1 as one');
  assert.deepEqual(rows, [{ one: 1 }]);
  ended.abort();
  assert.ok((await ends).every(({ status }) => status === 'rejected'));
  await until(async () => (await node.busy()) === 0, { what: 'none runs' });
  // Their places are free again.
  const again = patientQuery(node.database, new AbortController().signal);
  const three = Array.from({ length: 4 }, async () => (await again('select 2 as two')).rows);
  assert.equal((await Promise.all(three)).length, 4);
});
