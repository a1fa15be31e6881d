/** What PostgreSQL's own releases and the application's choices bring: values one side knows and the other does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failsWith } from '../testing/fails-with.ts';
import { majors, newest } from '../testing/database.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';

const both = majors().includes(15) && newest() >= 17;

void test(
  'an infinite interval of 18 is parked on 15, where it does not exist; finite ones and all else arrive',
  { skip: both ? false : 'takes PostgreSQL 15 and 17 or later' },
  async () => {
    await using pair = await StreamPair.create({
      major: newest(),
      subscriberMajor: 15,
      ddl: `create table visit (id int primary key, length interval, lengths interval[])`,
      tables: [table('visit', { key: ['id'] })],
    });
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into visit values (1, '1 mon -2 days 03:04:05.000006', null), (2, 'infinity', null), (3, null, array['-infinity']::interval[]), (4, '-178000000 years', null)`,
    );
    await pair.drain(applier);
    assert.deepEqual(await pair.parked(), [
      'visit ["2"] row_failed 22007',
      'visit ["3"] row_failed 22007',
    ]);
    assert.deepEqual(
      await pair.rows('subscriber', 'visit'),
      (await pair.rows('provider', 'visit')).filter((line) => !line.includes('infinity')),
    );
  },
);

void test('int4 never becomes a date: the table is left alone', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, day int)`,
    tables: [table('visit', { key: ['id'] })],
    subscriberDdl: `alter table visit alter column day type date using null`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 20240101)`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  const { rows } = await pair.subscriber.query(
    `select b.cause, b.column_name, b.type_name from tributary.blocked b`,
  );
  assert.deepEqual(rows, [{ cause: 'type', column_name: 'day', type_name: 'integer' }]);
});

void test('regclass travels by name; a name that stands for nothing here parks its row alone', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, about regclass); create table known (id int)`,
    providerDdl: `create table only_there (id int)`,
    tables: [table('visit', { key: ['id'] })],
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values (1, 'known'), (2, 'only_there'), (3, null), (4, 0)`,
  );
  await pair.drain(applier);
  assert.deepEqual(await pair.parked(), ['visit ["2"] row_failed 42P01']);
  const { rows } = await pair.subscriber.query(
    `select id, about::text, about = 'known'::regclass as same from visit order by id`,
  );
  assert.deepEqual(rows, [
    { id: 1, about: 'known', same: true },
    { id: 3, about: null, same: null },
    { id: 4, about: '-', same: false },
  ]);
});

void test('a primary key that was made deferrable here: rows come as before, and none stands beside another of its key', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table seat (id int primary key deferrable initially deferred, note text)`,
    providerDdl: `alter table seat replica identity full`,
    tables: [table('seat', { key: ['id'] })],
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into seat values (1, 'a'), (2, 'b'), (3, 'c')`);
  await pair.drain(applier);
  await pair.provider.query(
    `update seat set note = 'x' where id = 1; delete from seat where id = 2`,
  );
  await pair.provider.query(`delete from seat where id = 3; insert into seat values (3, 'again')`);
  await pair.drain(applier);
  await pair.assertEqual('seat');
  await pair.subscriber.query(`insert into seat values (9, 'of this node')`);
  await pair.provider.query(`insert into seat values (9, 'i'), (10, 'j')`);
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(
    `select id, note, tributary_origin as origin from seat where id > 8 order by 1, 2`,
  );
  assert.deepEqual(rows, [
    { id: 9, note: 'of this node', origin: 'north' },
    { id: 10, note: 'j', origin: 'district_a' },
  ]);
  assert.equal((await pair.parked()).length, 1);
});

void test('row security at the provider hides nothing; here it is never obeyed in silence', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key)`,
    providerDdl: `alter table visit enable row level security; alter table visit force row level security;
      create policy none on visit using (false)`,
    tables: [table('visit', { key: ['id'] })],
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1), (2)`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  await pair.subscriber.query(
    `alter table visit enable row level security; create policy odd on visit using (id % 2 = 1)`,
  );
  await pair.provider.query(`delete from visit`);
  const part = await pair.part();
  await assert.rejects(applier.apply(part), failsWith('not_prepared', { sqlstate: '42501' }));
  await pair.subscriber.query(`alter table visit disable row level security`);
  await applier.apply(part);
  await pair.assertEqual('visit');
});

void test(
  'a child that is upgraded to 18 and then publishes its generated columns: they are computed here all the same',
  { skip: newest() >= 18 ? false : 'takes PostgreSQL 18' },
  async () => {
    await using pair = await StreamPair.create({
      major: newest(),
      ddl: `create table visit (id int primary key, a int, doubled int generated always as (a * 2) stored)`,
      tables: [table('visit', { key: ['id'] })],
      subscriberDdl: `alter table visit drop column doubled; alter table visit add column doubled int generated always as (a * 3) stored`,
    });
    await using applier = await pair.applier();
    await pair.provider.query(`insert into visit values (1, 1)`);
    await pair.drain(applier);
    await pair.provider.query(
      `alter publication tributary_up set (publish_generated_columns = stored)`,
    );
    await pair.provider.query(
      `insert into visit values (2, 2); update visit set a = 5 where id = 1`,
    );
    await pair.drain(applier);
    const { rows } = await pair.subscriber.query(`select id, a, doubled from visit order by id`);
    assert.deepEqual(rows, [
      { id: 1, a: 5, doubled: 15 },
      { id: 2, a: 2, doubled: 6 },
    ]);
    // Here a plain column takes what is sent.
    await pair.subscriber.query(`alter table visit alter column doubled drop expression`);
    await using again = await pair.applier();
    await pair.provider.query(`insert into visit values (3, 7)`);
    await pair.drain(again);
    const plain = await pair.subscriber.query(`select doubled from visit where id = 3`);
    assert.deepEqual(plain.rows, [{ doubled: 14 }]);
  },
);
