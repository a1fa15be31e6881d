/** The settings every session works under. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { roles, TestDatabase } from '../testing/database.ts';
import { clientConfig, openPool } from './connect.ts';

void test("options in a URL add to a session's settings and never replace them", async () => {
  await using database = await TestDatabase.create();
  const url = new URL(database.url(roles.writer));
  url.searchParams.set('options', '-c work_mem=5MB -c timezone=Asia/Tokyo');
  const client = new pg.Client(
    clientConfig({
      url: url.href,
      applicationName: 'tributary test',
      settings: { session_replication_role: 'replica' },
    }),
  );
  await client.connect();
  try {
    const { rows } = await client.query(`
      select
        current_setting('session_replication_role') as role,
        current_setting('timezone') as zone,
        current_setting('datestyle') as dates,
        current_setting('work_mem') as memory`);
    assert.deepEqual(rows, [{ role: 'replica', zone: 'UTC', dates: 'ISO, YMD', memory: '5MB' }]);
  } finally {
    await client.end();
  }
});

/** A node ended when its PostgreSQL crashed while a connection of the pool stood between two statements. */
void test('a connection that ends in the hands of its user fails the next statement, not the process', async () => {
  await using database = await TestDatabase.create();
  const pool = openPool({ url: database.url(), applicationName: 'tributary test', max: 1 });
  const client = await pool.connect();
  const ended = new Promise<void>((resolve) => client.on('end', resolve));
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    await assert.rejects(client.query('select 1'));
  } finally {
    client.release(true);
    await pool.end();
  }
});
