/** Tables that are not alike on both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failsWith } from '../testing/fails-with.ts';
import { StreamPair, type StreamPairOptions, table } from '../testing/stream-pair.ts';

const options: StreamPairOptions = {
  ddl: `create table visit (id int primary key, note text, extra text)`,
  tables: [table('visit', { key: ['id'] })],
};

async function drifting(subscriberDdl: string): Promise<StreamPair> {
  const pair = await StreamPair.create({ ...options, subscriberDdl });
  await pair.provider.query(`insert into visit values (1, '5', 'x')`);
  return pair;
}

void test('a sent column that does not exist here is set aside, and shown', async () => {
  await using pair = await drifting(`alter table visit drop column extra`);
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.provider.query(`update visit set note = 'n', extra = 'y'`);
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(`select id, note from visit`);
  assert.deepEqual(rows, [{ id: 1, note: 'n' }]);
  assert.deepEqual(applier.progress().partial, new Map([['public.visit', ['extra']]]));
});

void test('a column dropped here while the stream runs is set aside from then on', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'n', 'x')`);
  await pair.drain(applier);
  await pair.subscriber.query(`alter table visit drop column extra`);
  await pair.provider.query(`insert into visit values (2, 'n', 'x')`);
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(`select id from visit order by id`);
  assert.deepEqual(rows, [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(applier.progress().partial, new Map([['public.visit', ['extra']]]));
});

void test('a column the provider adds and fills while the stream runs arrives', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'n', 'x')`);
  await pair.subscriber.query(`alter table visit add column more int`);
  await pair.provider.query(`alter table visit add column more int default 3`);
  await pair.provider.query(
    `insert into visit values (2, 'n', 'x', 4); update visit set note = 'm'`,
  );
  await pair.drain(applier);
  await pair.assertEqual('visit');
});

for (const [title, ddl, reason, column] of [
  ['no such table', `drop table visit`, 'no_table', null],
  [
    'a key column that does not exist here',
    `alter table visit rename id to number`,
    'key_column_missing',
    'id',
  ],
  [
    'a column that must be filled and is not sent',
    `alter table visit add column local int not null`,
    'not_null',
    'local',
  ],
  [
    'no origin column',
    `alter table visit drop column tributary_origin`,
    'origin_column_missing',
    'tributary_origin',
  ],
] as const) {
  void test(`${title} is drift`, async () => {
    await using pair = await drifting(ddl);
    await using applier = await pair.applier();
    const part = await pair.part();
    await assert.rejects(
      applier.apply(part),
      failsWith('drifted', { table: 'public.visit', reason, column }),
    );
  });
}

void test('a type that would lose part of the values is drift', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, at timestamp)`,
    tables: options.tables,
    subscriberDdl: `alter table visit alter column at type date`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, '2026-11-21 10:00')`);
  await assert.rejects(
    applier.apply(await pair.part()),
    failsWith('drifted', { reason: 'type', column: 'at' }),
  );
});

for (const [sent, local, fits] of [
  ['numeric(12,4)', 'numeric(12,2)', false],
  ['numeric', 'numeric(12,2)', false],
  ['float8', 'numeric(12,2)', false],
  ['timestamptz', 'timestamptz(0)', false],
  ['numeric', 'cents', false],
  ['numeric(12,2)', 'cents', true],
  ['numeric', 'wages', false],
  ['numeric(12,2)', 'wages', true],
  ['numeric(12,2)', 'numeric(14,4)', true],
  ['bigint', 'numeric(20,0)', true],
  ['time(3)', 'time', true],
] as const) {
  void test(`${sent} ${fits ? 'goes into' : 'is never rounded to'} ${local}`, async () => {
    await using pair = await StreamPair.create({
      ddl: `create domain cents as numeric(12,2); create domain wages as cents;
        create table visit (id int primary key, v ${sent})`,
      tables: options.tables,
      subscriberDdl: `alter table visit alter column v type ${local}`,
    });
    await using applier = await pair.applier();
    await pair.provider.query(`insert into visit values (1, null)`);
    const applying = applier.apply(await pair.part());
    await (fits
      ? applying
      : assert.rejects(applying, failsWith('drifted', { reason: 'type', column: 'v' })));
  });
}

for (const local of [
  'varchar(3)',
  'char(3)',
  'short',
  'shorter',
  'varchar(3)[]',
  'shorts',
] as const) {
  void test(`a text that is longer than ${local} is refused, not cut`, async () => {
    const list = local.endsWith('[]') || local === 'shorts';
    await using pair = await StreamPair.create({
      ddl: `create domain short as varchar(3); create domain shorter as short; create domain shorts as varchar(3)[];
        create table visit (id int primary key, v ${list ? 'varchar[]' : 'text'})`,
      tables: options.tables,
      subscriberDdl: `alter table visit alter column v type ${local} using null`,
    });
    await using applier = await pair.applier();
    const value = (text: string): string => (list ? `array['${text}']` : `'${text}'`);
    await pair.provider.query(`insert into visit values (1, ${value('abc')})`);
    await pair.drain(applier);
    await pair.assertEqual('visit');
    await pair.provider.query(`update visit set v = ${value('abcd')}`);
    await pair.drain(applier);
    assert.deepEqual(await pair.parked(), ['visit ["1"] row_failed 22001']);
  });
}

void test('a wider type takes the values', async () => {
  await using pair = await drifting(
    `alter table visit alter column id type bigint, alter column note type varchar(9)`,
  );
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.provider.query(`update visit set note = 'later'; delete from visit where id = 2`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
});

void test('a relation that is not of the set is counted and left', async () => {
  await using pair = await StreamPair.create({
    ...options,
    ddl: `${options.ddl}; create table other (id int primary key)`,
    publication: `create publication tributary_up for table visit, other`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into other values (1), (2)`);
  await pair.provider.query(`insert into visit values (1); truncate other`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(await pair.rows('subscriber', 'other'), []);
  assert.deepEqual(applier.progress().conflicts, new Map([['outside_set public.other', 2]]));
});
