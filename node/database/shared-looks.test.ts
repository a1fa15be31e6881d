import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChild } from '../testing/child.ts';
import { newest } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { SharedLooks } from './shared-looks.ts';

void test('many streams are one question, and one that failed is asked again at once', async () => {
  await using database = await createChild(newest());
  const note = async (provider: string): Promise<void> => {
    await database.query(
      `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ($1, 'public', 'visit', 'asked')`,
      [provider],
    );
  };
  await note('north');
  let asked = 0;
  let reachable = true;
  const looks = new SharedLooks(async (text, values) => {
    asked += 1;
    return await database.query(reachable ? text : 'select 1 / 0', [...(values ?? [])]);
  });
  const answers = await Promise.all(
    Array.from(
      { length: 100 },
      async (_, n) => await looks.hasOpenWork(n === 7 ? 'north' : `child_${n}`),
    ),
  );
  assert.deepEqual([asked, answers.filter(Boolean).length, answers[7]], [1, 1, true]);
  await note('south');
  const seen = { what: 'new work is seen', ms: 10_000 };
  await until(async () => await looks.hasOpenWork('south'), seen);
  reachable = false;
  const fails = async (): Promise<boolean> =>
    await looks.hasOpenWork('south').then(
      () => false,
      () => true,
    );
  await until(fails, { what: 'the question fails', ms: 10_000 });
  reachable = true;
  assert.equal(await looks.hasOpenWork('south'), true);
  await database.query(`update tributary.reconcile set state = 'done'`);
  await until(async () => !(await looks.hasOpenWork('north')), {
    what: 'no work is left',
    ms: 10_000,
  });
});

void test('definitions: another text when a column comes, goes or has another type, and for other tables', async () => {
  await using database = await createChild(newest());
  await database.query(`create table public.ward (id uuid primary key, beds integer)`);
  const query = async (text: string, values?: readonly unknown[]) =>
    await database.query(text, [...(values ?? [])]);
  const ward = [{ schema: 'public', name: 'ward' }];
  const now = async (): Promise<string | null> => await new SharedLooks(query).definitions(ward);
  const seen = new Set([await now()]);
  for (const change of ['add remark text', 'alter beds type bigint', 'drop remark']) {
    await database.query(`alter table public.ward ${change}`);
    seen.add(await now());
  }
  assert.equal(seen.size, 4);
  assert.equal(await now(), await now());
  const looks = new SharedLooks(query);
  assert.notEqual(await looks.definitions(ward), null);
  assert.equal(await looks.definitions([{ schema: 'public', name: 'nothing' }]), null);
});

void test('columns that have arrived come to their own provider, and not again once they are taken', async () => {
  await using database = await createChild(newest());
  await database.query(`create table public.ward (id uuid primary key, remark text)`);
  await database.query(
    `insert into tributary.partial (provider, schema_name, table_name, column_name)
     values ('north', 'public', 'ward', 'remark'), ('south', 'public', 'ward', 'elsewhere')`,
  );
  let asked = 0;
  const looks = new SharedLooks(async (text, values) => {
    asked += 1;
    return await database.query(text, [...(values ?? [])]);
  });
  const found = await Promise.all([looks.arrivedColumns('north'), looks.arrivedColumns('south')]);
  assert.deepEqual(
    found.map((tables) => tables.map(({ schema, name, columns }) => [schema, name, columns])),
    [[['public', 'ward', ['remark']]], []],
  );
  assert.equal(asked, 1);
  await database.query(`delete from tributary.partial where provider = 'north'`);
  looks.tookColumns();
  assert.deepEqual(await looks.arrivedColumns('north'), []);
});

void test('what each provider tells of its publication, of the position it had then; nothing of who has told nothing, or is none', async () => {
  await using database = await createChild(newest());
  await database.query(
    `insert into tributary.stream (provider, slot, position, system_identifier, timeline, publication_oid, publication_nonce)
     select name, 'tributary_up', '0/1', '1', 1, 1, gen_random_uuid() from unnest(array['north', 'south', 'west']) name`,
  );
  await database.query(
    `insert into tributary.heartbeat (node, at, lsn, nonce, version, topology, state) values
       ('north', now(), '1/A0', '018f0000-0000-7000-8000-000000000001', 'test', 'test', '{"publication": {"oid": 4711}}'),
       ('south', now(), '0/1', '018f0000-0000-7000-8000-000000000002', 'test', 'test', '{}'),
       ('village', now(), '0/1', '018f0000-0000-7000-8000-000000000003', 'test', 'test', '{}')`,
  );
  let asked = 0;
  const looks = new SharedLooks(async (text, values) => {
    asked += 1;
    return await database.query(text, [...(values ?? [])]);
  });
  const told = await Promise.all(
    ['north', 'south', 'west', 'village'].map(async (name) => await looks.publicationOf(name)),
  );
  assert.deepEqual(told, [
    { lsn: 0x1_0000_00a0n, oid: '4711', nonce: '018f0000-0000-7000-8000-000000000001' },
    { lsn: 1n, oid: null, nonce: '018f0000-0000-7000-8000-000000000002' },
    null,
    null,
  ]);
  assert.equal(asked, 1);
  await database.query(`delete from tributary.heartbeat`);
  looks.forgetPublications();
  assert.equal(await looks.publicationOf('north'), null);
});
