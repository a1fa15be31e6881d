/** Which tables of a stream are to be made equal, and what is said of the stream as long as one is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLsn } from '../pgoutput/lsn.ts';
import { TestDatabase } from '../testing/database.ts';
import { OwnDatabase } from '../testing/own-database.ts';
import { readFreshness } from './freshness.ts';
import { forgetLeftTables } from './left-tables.ts';
import {
  finishTable,
  loadReconcile,
  noteKeys,
  type ReconcileRow,
  startTable,
  stopTable,
  wantAgain,
  wantAllSql,
  wantBlocked,
} from './reconcile-tables.ts';
import { replaceRoutes } from './routes.ts';
import { beginStream } from './streams.ts';
import { wantMended } from './verify-tables.ts';

const at = { provider: 'district', schema: 'public', name: 'bed' };
const run = '00000000-0000-7000-8000-000000000001';

class Region extends OwnDatabase {
  /** With a complete stream of the district. */
  static async create(): Promise<Region> {
    const region = new Region(await TestDatabase.create());
    await region.make('region');
    await region.pool.query(
      `insert into tributary.heartbeat (node, at, lsn, nonce, version, topology)
       select n, now(), '0/1', gen_random_uuid(), '1', 'x' from unnest(array['region', 'district']) n`,
    );
    await replaceRoutes(region.database, new Map([['district', 'district']]));
    await beginStream(region.database, 'district', {
      slot: 'tributary_region',
      position: parseLsn('0/100'),
      systemIdentifier: '7000000000000000001',
      timeline: 1,
      publicationOid: 1,
      publicationNonce: '00000000-0000-4000-8000-000000000001',
      incomplete: null,
    });
    return region;
  }

  async want(
    reason: string,
    { state = 'wanted', allowed = null }: { state?: string; allowed?: number | null } = {},
  ): Promise<void> {
    await this.query(
      `insert into tributary.reconcile (provider, schema_name, table_name, state, reason, allowed, started_at)
       values ('district', 'public', 'bed', $1, $2, $3, case when $1 <> 'wanted' then now() end)`,
      [state, reason, allowed],
    );
  }

  async row(): Promise<ReconcileRow | undefined> {
    return (await loadReconcile(this.query, 'district'))[0];
  }

  /** A comparison of that time found these keys to differ. */
  async verified(ago: string, keys: readonly string[]): Promise<void> {
    await this.query(
      `insert into tributary.verify (provider, schema_name, table_name, run, state, found, started_at, finished_at)
       values ('district', 'public', 'bed', $1, 'done', $2, now() - $3::interval, now() - $3::interval)`,
      [run, keys.length, ago],
    );
    await this.query(
      `insert into tributary.verify_key (provider, schema_name, table_name, key, kind)
       select 'district', 'public', 'bed', jsonb_build_array(k), 'different' from unnest($1::text[]) k`,
      [keys],
    );
  }

  async noted(): Promise<readonly unknown[]> {
    const { rows } = await this.query(
      `select key ->> 0 as key from tributary.reconcile_key order by 1`,
    );
    return (rows as { key: string }[]).map(({ key }) => key);
  }

  async word(): Promise<string> {
    await this.query('select tributary.refresh_origins()');
    const [found] = await readFreshness(this.database);
    return found?.complete === true ? 'complete' : String(found?.reason);
  }
}

void test('a table that is wanted anew after it was looked for is walked as it is wanted now', async () => {
  await using region = await Region.create();
  await region.want('mend');
  await region.query(`update tributary.reconcile set through = '["m"]'`);
  await region.query(wantAllSql, ['district', 'publication_changed']);
  const begun = await startTable(region.query, at, 1);
  assert.deepEqual([begun?.reason, begun?.through], ['publication_changed', null]);
  await forgetLeftTables(region.query, 'district', []);
  assert.equal(await startTable(region.query, at, 1), null, 'it is gone');
});

void test('what verify found is found no more once the table is equal, and not before', async () => {
  await using region = await Region.create();
  await region.verified('1 hour', ['a', 'b']);
  await region.query('update tributary.verify set differing = 2');
  const differing = async (): Promise<unknown> =>
    (await region.query('select differing::int from tributary.verify')).rows[0];
  await region.want('mend');
  await startTable(region.query, at, 1);
  await region.query(wantAllSql, ['district', 'publication_changed']);
  await finishTable(region.query, at);
  assert.deepEqual(await differing(), { differing: 2 }, 'it was wanted anew');
  await startTable(region.query, at, 1);
  await finishTable(region.query, at);
  assert.deepEqual(await differing(), { differing: 0 });
});

void test('a table that is wanted anew while it is walked stays wanted when the walk is held', async () => {
  await using region = await Region.create();
  await region.want('asked');
  await startTable(region.query, at, 1);
  await region.query(wantAllSql, ['district', 'publication_changed']);
  await stopTable(region.query, at, { state: 'held', failure: null });
  assert.equal((await region.row())?.state, 'wanted');
});

void test('a table that was left alone in the middle is walked from its beginning, and as a whole', async () => {
  await using region = await Region.create();
  await region.want('first_copy');
  await region.query(`update tributary.reconcile set state = 'failed', through = '["m"]'`);
  await wantBlocked(region.query, at);
  const again = await region.row();
  assert.deepEqual([again?.reason, again?.through], ['first_copy', null]);
  await region.query(`update tributary.reconcile set reason = 'mend', allowed = 3`);
  await wantBlocked(region.query, at);
  const whole = await region.row();
  assert.deepEqual([whole?.reason, whole?.allowed], ['blocked', null]);
});

void test('a table that was left alone is not complete before it is equal again', async () => {
  await using region = await Region.create();
  assert.equal(await region.word(), 'complete');
  await wantBlocked(region.query, at);
  assert.equal(await region.word(), 'region: reconcile', 'wanted');
  await startTable(region.query, at, 1);
  assert.equal(await region.word(), 'region: reconcile', 'walked');
  await stopTable(region.query, at, { state: 'held', failure: null });
  assert.equal(await region.word(), 'region: reconcile', 'held');
  await startTable(region.query, at, 1);
  await finishTable(region.query, at);
  assert.equal(await region.word(), 'complete');
});

void test('a plan that is carried out leaves a complete copy complete; one of a copy that is held does not make it so', async () => {
  await using region = await Region.create();
  await region.verified('1 second', ['a']);
  await wantMended(region.query, 'district', run);
  assert.equal((await region.row())?.reason, 'mend');
  assert.equal(await region.word(), 'complete');
  await region.query('delete from tributary.reconcile');
  await region.want('blocked', { state: 'held' });
  await region.query(`update tributary.reconcile set started_at = now() - interval '1 hour'`);
  await wantMended(region.query, 'district', run);
  assert.equal((await region.row())?.state, 'wanted');
  assert.equal(await region.word(), 'region: reconcile');
});

void test('a column that is added while a plan waits to be carried out is filled in the whole table', async () => {
  await using region = await Region.create();
  await region.want('mend', { allowed: 3 });
  await wantAgain(region.query, at, { reason: 'column_added', fills: ['extra'] });
  const row = await region.row();
  assert.deepEqual([row?.reason, row?.fills, row?.allowed], ['column_added', ['extra'], null]);
});

void test('a plan of before does not end a comparison that waits for a person', async () => {
  await using region = await Region.create();
  await region.verified('2 days', ['a']);
  await region.want('slot_lost', { state: 'held' });
  await noteKeys(region.query, at, [['b'], ['c']]);
  assert.equal(await wantMended(region.query, 'district', run), 0);
  assert.equal((await region.row())?.state, 'held');
  assert.deepEqual(await region.noted(), ['b', 'c']);
});

void test('a plan of a comparison that waits for a person keeps the keys that rows moved to meanwhile', async () => {
  await using region = await Region.create();
  await region.want('slot_lost', { state: 'held' });
  await region.query(`update tributary.reconcile set started_at = now() - interval '1 hour'`);
  await region.verified('1 second', ['a', 'b']);
  await noteKeys(region.query, at, [['b'], ['moved']]);
  assert.equal(await wantMended(region.query, 'district', run), 2);
  assert.deepEqual(await region.noted(), ['a', 'b', 'moved']);
  assert.equal((await region.row())?.allowed, 3);
});

void test('of a table that left the file nothing is waited for, and what may be the last copy of a row stays', async () => {
  await using region = await Region.create();
  await region.want('blocked', { state: 'failed' });
  await region.query(
    `insert into tributary.parked (provider, schema_name, table_name, key, reason, retry_at, only_here)
     select 'district', 'public', t, jsonb_build_array(r), r, now(), case when r = 'rewound' then true end
     from unnest(array['bed', 'cot']) t, unnest(array['row_failed', 'rewound']) r`,
  );
  await forgetLeftTables(region.query, 'district', [{ schema: 'public', name: 'cot' }]);
  assert.equal(await region.row(), undefined);
  const { rows } = await region.query(
    `select table_name || ' ' || reason as line from tributary.parked order by 1`,
  );
  assert.deepEqual(
    (rows as { line: string }[]).map(({ line }) => line),
    ['bed rewound', 'cot rewound', 'cot row_failed'],
  );
});
