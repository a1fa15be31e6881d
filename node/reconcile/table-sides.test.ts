/** A small child below a large parent: its rows lie anywhere in the table here, and what looks for them reads all of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPool } from '../database/connect.ts';
import { migrate } from '../database/migrate.ts';
import { patientQuery } from '../database/patient-query.ts';
import { queryOf, tributaryDatabase } from '../database/tables.ts';
import { createChild } from '../testing/child.ts';
import { newest, TestDatabase } from '../testing/database.ts';
import { defaultScope, table } from '../testing/stream-pair.ts';
import { openChild } from '../testing/stream-reader.ts';
import { until } from '../testing/until.ts';
import type { StreamSide } from './stream-side.ts';
import { TableSides } from './table-sides.ts';

const visit = table('visit', { key: ['id'] });
const all = { after: null, upto: null };

/** A lock stands for the size of the table: it holds what reads it longer than a small statement may take. */
void test('what is looked for in all of a table may take longer than a small statement', async () => {
  await using child = await createChild(newest());
  await using parent = await TestDatabase.create();
  const client = await parent.admin.connect();
  await using _end = { [Symbol.asyncDispose]: async () => await Promise.resolve(client.release()) };
  await migrate(client);
  await child.query(`create table visit (id integer primary key, note text);
    alter publication tributary_up add table visit`);
  await parent.query(`create table visit (id integer primary key, note text, tributary_origin text not null);
    insert into visit values (1, 'a', 'district_a'), (2, 'of a sibling', 'district_b')`);
  await using provider = openChild(child);
  const pool = openPool({
    url: parent.url(),
    applicationName: 'test',
    settings: { statement_timeout: 300 },
    max: 6,
  });
  await using _ended = { [Symbol.asyncDispose]: async () => await pool.end() };
  const database = tributaryDatabase(pool);
  await using sides = new TableSides({
    stream: { scope: defaultScope, provider } as Partial<StreamSide> as StreamSide,
    tables: [visit],
    query: async (text, values) => await parent.query(text, [...(values ?? [])]),
    patient: (signal) => patientQuery(database, signal),
  });
  const { signal } = new AbortController();
  const { local } = await sides.open(visit, await sides.published(), signal);
  for (const look of [
    async () => (await local.digests([all]))[0]?.count,
    async () => (await local.hashes([all])).length,
    async () => await local.count(),
    async () => await local.countAfter(null, 100),
    async () => (await local.originsAfter(null, 100)).length,
  ]) {
    await client.query('begin; lock table visit in access exclusive mode');
    const looked = Promise.allSettled([look()]);
    await until(async () => (await waiting(parent)) === 1, { what: 'it waits' });
    await assert.rejects(queryOf(database)('select from visit'), { code: '57014' });
    await client.query('rollback');
    assert.deepEqual(await looked, [{ status: 'fulfilled', value: 1 }], String(look));
  }
});

async function waiting(database: TestDatabase): Promise<number> {
  const { rows } = await database.query(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return (rows as { count: number }[])[0]?.count ?? -1;
}
