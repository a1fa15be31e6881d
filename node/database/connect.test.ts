/** The settings every session works under. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { roles, TestDatabase } from '../testing/database.ts';
import { clientConfig } from './connect.ts';

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
