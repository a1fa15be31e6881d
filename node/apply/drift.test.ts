/** Tables that are not alike on both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamPair, type StreamPairOptions, table } from '../testing/stream-pair.ts';

const visit = table('visit', { key: ['id'] });
const options: StreamPairOptions = {
  ddl: `create table visit (id int primary key, note text, extra text); create table bed (id int primary key)`,
  tables: [visit, table('bed', { key: ['id'] })],
};

async function drifting(subscriberDdl: string): Promise<StreamPair> {
  const pair = await StreamPair.create({ ...options, subscriberDdl });
  await pair.provider.query(`insert into visit values (1, '5', 'x')`);
  return pair;
}

/** Tables that are left alone, with cause, column, its type at the provider and SQLSTATE. */
async function blocked(pair: StreamPair): Promise<readonly string[]> {
  const { rows } = await pair.subscriber.query(
    `select concat_ws(' ', b.table_name, b.reason, b.cause, b.column_name, b.type_name, b.sqlstate) as line
     from tributary.blocked b order by 1`,
  );
  return (rows as { line: string }[]).map(({ line }) => line);
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

for (const [title, ddl, drift] of [
  ['no such table', `drop table visit`, 'no_table'],
  [
    'a key column that does not exist here',
    `alter table visit rename id to number`,
    'key_column_missing id integer',
  ],
  [
    'a column that must be filled and is not sent',
    `alter table visit add column local int not null`,
    'not_null local',
  ],
  [
    'no origin column',
    `alter table visit drop column tributary_origin`,
    'origin_column_missing tributary_origin',
  ],
] as const) {
  void test(`${title}: that table is left alone, and the others of its transactions go on`, async () => {
    await using pair = await drifting(ddl);
    await using applier = await pair.applier();
    await pair.provider.query(
      `begin; insert into visit values (2); insert into bed values (1); commit`,
    );
    await pair.drain(applier);
    await pair.assertEqual('bed');
    assert.deepEqual(await blocked(pair), [`visit drifted ${drift}`]);
    assert.deepEqual(await pair.parked(), []);
    assert.deepEqual(applier.progress().conflicts, new Map());
    // Another process knows it too, and the definition alone does not bring the table back: rows are missing.
    await pair.subscriber
      .query(`drop table if exists visit; create table visit (id int primary key, note text, extra text,
      tributary_origin text not null default 'north'); grant all on visit to public`);
    await using again = await pair.applier();
    await pair.provider.query(
      `insert into visit values (3); truncate visit; insert into bed values (2)`,
    );
    await pair.drain(again);
    await pair.assertEqual('bed');
    assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  });
}

void test('a table that drifts while the stream runs is left alone from then on', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'n', 'x')`);
  await pair.drain(applier);
  await pair.subscriber.query(`alter table visit rename id to number`);
  await pair.provider.query(
    `begin; insert into visit values (2, 'n', 'x'); insert into bed values (1); commit`,
  );
  await pair.drain(applier);
  await pair.assertEqual('bed');
  assert.deepEqual(await blocked(pair), ['visit drifted key_column_missing id integer']);
});

void test('a table whose statements PostgreSQL refuses is left alone, and the others go on', async () => {
  await using pair = await StreamPair.create({
    ...options,
    // What is sent fits by its type; that the trigger names what is not there shows when it fires.
    subscriberDdl: `create function wrong() returns trigger language plpgsql as $$ begin new.nowhere := 1; return new; end $$;
      create trigger wrong before insert on visit for each row execute function wrong();
      alter table visit enable always trigger wrong`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `begin; insert into visit values (1, 'n', 'x'); insert into bed values (1); commit`,
  );
  await pair.drain(applier);
  await pair.assertEqual('bed');
  assert.deepEqual(await blocked(pair), ['visit drifted statement 42703']);
  assert.deepEqual(await pair.parked(), []);
});

void test('a type that would lose part of the values: the table is left alone', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, at timestamp); create table bed (id int primary key)`,
    tables: options.tables,
    subscriberDdl: `alter table visit alter column at type date`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values (1, '2026-11-21 10:00'); insert into bed values (1)`,
  );
  await pair.drain(applier);
  assert.deepEqual(await blocked(pair), ['visit drifted type at timestamp without time zone']);
  await pair.assertEqual('bed');
});

void test('columns that are set aside are noted, with their types, and stay noted through a restart', async () => {
  await using pair = await drifting(`alter table visit drop column extra, drop column note`);
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.provider.query(`update visit set note = 'n'`);
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(
    `select p.column_name, p.type_name from tributary.partial p order by 1`,
  );
  assert.deepEqual(rows, [
    { column_name: 'extra', type_name: 'text' },
    { column_name: 'note', type_name: 'text' },
  ]);
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
      tables: [visit],
      subscriberDdl: `alter table visit alter column v type ${local}`,
    });
    await using applier = await pair.applier();
    await pair.provider.query(`insert into visit values (1, null)`);
    await pair.drain(applier);
    const seen = await blocked(pair);
    assert.deepEqual(
      seen.map((line) => line.replace(/ v .*/, ' v')),
      fits ? [] : ['visit drifted type v'],
    );
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
      tables: [visit],
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
    publication: `create publication tributary_up for table visit, bed, other`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into other values (1), (2)`);
  await pair.provider.query(`insert into visit values (1); truncate other`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(await pair.rows('subscriber', 'other'), []);
  assert.deepEqual(applier.progress().conflicts, new Map([['outside_set public.other', 2]]));
});
