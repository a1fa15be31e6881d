/** Tables of every shape and columns of every type. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failsWith } from '../testing/fails-with.ts';
import { majors } from '../testing/database.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';

/** Type, then values as SQL literals. */
const types: readonly (readonly [string, ...string[]])[] = [
  ['bool', `'t'`, `'f'`],
  ['bytea', String.raw`'\x00ff10'`, `''`],
  ['"char"', `'x'`],
  ['name', `'a name'`],
  ['int8', `'-9223372036854775808'`, `'9223372036854775807'`],
  ['int2', `'-32768'`],
  ['int4', `'2147483647'`],
  ['text', `''`, `'NULL'`, `'{"a,b"}'`, String.raw`E'tab\t line\n \\ quote'' ñ 日本 🌍'`],
  ['json', `'{"b":  1, "a": [1,2 ]}'`],
  ['jsonb', `'{"b": 1.00, "a": [1, 2]}'`],
  ['xml', `'<a>b</a>'`],
  ['float4', `'1.1'`, `'-0'`, `'NaN'`, `'-Infinity'`],
  ['float8', `'0.1'`, `'1e-300'`, `'-0'`, `'Infinity'`],
  ['numeric', `'1.00'`, `'NaN'`, `'123456789012345678901234567890.123456789'`],
  ['numeric(8,3)', `'12345.678'`],
  ['varchar(5)', `'five5'`],
  ['char(6)', `'pad'`],
  ['bit(5)', `B'10101'`],
  ['varbit', `B'101'`],
  ['date', `'2026-11-21'`, `'infinity'`, `'0044-03-15 BC'`],
  ['time', `'23:59:59.999999'`],
  ['timetz', `'10:00:00+05:30'`],
  ['timestamp', `'2026-11-21 10:00:00.123456'`, `'-infinity'`],
  ['timestamptz', `'2026-11-21 10:00:00.123456+03'`],
  ['interval', `'1 year 2 mons -3 days 04:05:06.789'`],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`],
  ['inet', `'192.168.0.1/24'`, `'::1'`],
  ['cidr', `'10.0.0.0/8'`],
  ['macaddr', `'08:00:2b:01:02:03'`],
  ['macaddr8', `'08:00:2b:01:02:03:04:05'`],
  ['money', `'12.34'`],
  ['point', `'(1.5,-2)'`],
  ['polygon', `'((0,0),(1,1),(1,0))'`],
  ['tsvector', `'fat:2 cat:3'`],
  ['tsquery', `'fat & cat'`],
  ['pg_lsn', `'16/B374D848'`],
  ['int4range', `'[1,10)'`],
  ['int4multirange', `'{[1,3),[5,8)}'`],
  ['int4[]', `'{1,NULL,3}'`, `'{{1,2},{3,4}}'`, `'[2:3]={7,8}'`],
  ['text[]', `'{"a b",NULL,"NULL",""}'`],
  ['mood', `'so so'`],
  ['pair', `'(1,"a ""b""")'`],
  ['short_text', `'abc'`],
  ['some_count', `'7'`],
  ['some_counts', `'{1,2}'`],
  ['oid', `'4294967295'`],
  ['regclass', `'pg_class'`],
];

const columns = types.map(([type], index) => `c${index} ${type}`).join(', ');
const typesDdl = `
  create type mood as enum ('sad', 'so so');
  create type pair as (n int, t text);
  create domain short_text as text check (length(value) < 10);
  create domain some_count as int check (value > 0);
  create domain some_counts as int[];
  create table every (id uuid primary key default gen_random_uuid(), ${columns})`;

for (const major of majors()) {
  void test(`a value of every type arrives with the same text (${major})`, async () => {
    await using pair = await StreamPair.create({ major, ddl: typesDdl, tables: [table('every')] });
    await using applier = await pair.applier();
    await pair.provider.query(`insert into every default values`);
    for (const [index, [, ...values]] of types.entries()) {
      for (const value of values) {
        await pair.provider.query(`insert into every (c${index}) values (${value})`);
      }
    }
    await pair.drain(applier);
    await pair.assertEqual('every');
    const sets = types.map(([, value], index) => `c${index} = ${value}`);
    await pair.provider.query(`update every set ${sets.join(', ')}`);
    await pair.drain(applier);
    await pair.assertEqual('every');
    assert.equal(applier.progress().replays, 0);
  });

  void test(`types that fit the binary form arrive in it with the same text (${major})`, async () => {
    const left = /^(xml|interval|money|ts|oid|reg|mood|pair|short_text|some_)|range|\[\]/;
    const fit = types.filter(([type]) => !left.test(type));
    await using pair = await StreamPair.create({
      major,
      ddl: `create table every (id uuid primary key default gen_random_uuid(), ${fit.map(([type], index) => `c${index} ${type}`).join(', ')})`,
      tables: [table('every')],
    });
    await using applier = await pair.applier();
    const { rows } = await pair.provider.query(
      `select attname as name, atttypid::int as "typeOid" from pg_attribute where attrelid = 'every'::regclass and attnum > 0`,
    );
    const published = {
      schema: 'public',
      name: 'every',
      columns: rows as { name: string; typeOid: number }[],
    };
    assert.equal(await applier.format([published]), 'binary');
    for (const [index, [, ...values]] of fit.entries()) {
      for (const value of values) {
        await pair.provider.query(`insert into every (c${index}) values (${value})`);
      }
    }
    await pair.drain(applier, 'binary');
    await pair.assertEqual('every');
    const sets = fit.map(([, value], index) => `c${index} = ${value}`);
    await pair.provider.query(`update every set ${sets.join(', ')}`);
    await pair.drain(applier, 'binary');
    await pair.assertEqual('every');
  });
}

void test('text is asked for where a type differs or is not safe, and a binary row of it is refused', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, span interval)`,
    tables: [table('visit', { key: ['id'] })],
  });
  await using applier = await pair.applier();
  for (const [name, typeOid, format] of [
    ['id', 23, 'binary'],
    ['id', 20, 'text'],
    ['span', 1186, 'text'],
  ] as const) {
    const published = [{ schema: 'public', name: 'visit', columns: [{ name, typeOid }] }];
    assert.equal(await applier.format(published), format);
  }
  await pair.provider.query(`insert into visit values (1, '1 day')`);
  await assert.rejects(
    applier.apply(await pair.part('binary')),
    failsWith('text_needed', { table: 'public.visit' }),
  );
});

void test('an overlong value is an error and is not cut', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, note varchar(20))`,
    tables: [table('visit', { key: ['id'] })],
    subscriberDdl: `alter table visit alter column note type varchar(3)`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'abcdefgh')`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  assert.deepEqual(await pair.parked(), ['visit ["1"] row_failed 22001']);
});

void test('identity and generated columns, quoted names, a composite key and local columns', async () => {
  await using pair = await StreamPair.create({
    ddl: `
      create table "Odd ""Table""" (
        "Région" text, "select" int, serial int generated always as identity,
        number int generated by default as identity, "twice of" int generated always as ("select" * 2) stored,
        note text, primary key ("Région", "select"));
      create table keyed (id int generated always as identity primary key, note text);
      create table bare (a int, b text, primary key (a, b))`,
    tables: [
      table('Odd "Table"', { key: ['Région', 'select'] }),
      table('keyed', { key: ['id'] }),
      table('bare', { key: ['b', 'a'] }),
    ],
    subscriberDdl: `alter table "Odd ""Table""" add column "local only" int not null default 7`,
  });
  await using applier = await pair.applier();
  const odd = `"Odd ""Table"""`;
  await pair.provider.query(
    `insert into ${odd} ("Région", "select", note) select 'r' || n % 3, n, 'n' from generate_series(1, 12) n`,
  );
  await pair.provider.query(`insert into keyed (note) values ('a'), ('b'), ('c')`);
  await pair.provider.query(`insert into bare values (1, 'x'), (1, 'y'), (2, 'x')`);
  await pair.drain(applier);
  await pair.assertEqual('Odd "Table"', 'keyed', 'bare');
  await pair.provider.query(
    `update ${odd} set note = 'm', "select" = "select" + 100 where "select" < 5`,
  );
  await pair.provider.query(`update ${odd} set note = 'only note' where "select" = 7`);
  await pair.provider.query(`delete from ${odd} where "select" in (8, 9)`);
  await pair.provider.query(`update keyed set note = 'changed' where id > 1`);
  await pair.provider.query(`update bare set a = a where b = 'y'`);
  await pair.provider.query(`update bare set a = 9 where b = 'x' and a = 2`);
  await pair.drain(applier);
  await pair.assertEqual('Odd "Table"', 'keyed', 'bare');
  assert.equal(applier.progress().replays, 0);
});

void test('a partitioned table is written through its root, rows that change partition too', async () => {
  const partitions = `
    create table visit (id int, region text, note text, primary key (id, region)) partition by list (region);
    create table visit_a partition of visit for values in ('a');
    create table visit_b partition of visit for values in ('b')`;
  await using pair = await StreamPair.create({
    ddl: partitions,
    tables: [table('visit', { key: ['id', 'region'] })],
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit select n, case n % 2 when 0 then 'a' else 'b' end, 'x' from generate_series(1, 10) n`,
  );
  await pair.drain(applier);
  await pair.subscriber.query(`delete from visit where id = 3`);
  await pair.provider.query(`update visit set note = 'y'`);
  await pair.provider.query(`update visit set region = 'a' where id = 5`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(applier.progress().conflicts, new Map([['update_missing public.visit', 1]]));
});

void test('full identity: a row is found by its key, whatever else changed', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, status text, note text); alter table visit replica identity full`,
    tables: [table('visit', { key: ['id'], identity: 'full' })],
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit select n, 'draft', null from generate_series(1, 5) n`,
  );
  await pair.drain(applier);
  await pair.subscriber.query(`update visit set note = 'differs'`);
  await pair.provider.query(`update visit set status = 'approved'`);
  await pair.provider.query(
    `update visit set id = 50 where id = 5; delete from visit where id = 1`,
  );
  await pair.drain(applier);
  await pair.assertEqual('visit');
});

void test('triggers that fire under apply see every change of their table, in order', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, note text)`,
    tables: [table('visit', { key: ['id'] })],
    subscriberDdl: `
      create table seen (n serial, what text);
      create function see() returns trigger language plpgsql as $$
        begin insert into seen (what) values (tg_op || ' ' || coalesce(new.note, old.note)); return null; end $$;
      create trigger see after insert or update or delete on visit for each row execute function see();
      alter table visit enable always trigger see;
      grant usage on sequence seen_n_seq to tributary_writer`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'a'), (2, 'b')`);
  await pair.provider.query(`update visit set note = 'c' where id = 1`);
  await pair.provider.query(`update visit set note = 'd' where id = 1`);
  await pair.provider.query(`delete from visit where id = 2`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  const { rows } = await pair.subscriber.query(
    `select string_agg(what, ', ' order by n) as seen from seen`,
  );
  assert.deepEqual(rows, [{ seen: 'INSERT a, INSERT b, UPDATE c, UPDATE d, DELETE b' }]);
});

void test('an array keeps its nulls, whatever the settings of the local database', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, list text[])`,
    tables: [table('visit', { key: ['id'] })],
    subscriberDdl: `do $$ begin execute format('alter database %I set array_nulls = off', current_database()); end $$`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, array[null, 'NULL', 'x'])`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
});

void test('an identity that is generated always and is renewed at the provider is renewed here', async () => {
  await using pair = await StreamPair.create({
    ddl: `
      create table keyed (id int generated always as identity primary key, note text, big text);
      alter table keyed alter column big set storage external;
      create table numbered (id int primary key, number int generated always as identity unique, note text)`,
    tables: [table('keyed', { key: ['id'] }), table('numbered', { key: ['id'] })],
    subscriberDdl: `alter table keyed add column seen text default 'no'`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`
    insert into keyed (note, big) select 'n', repeat('x', 4000) || n from generate_series(1, 40) n;
    insert into numbered (id, note) select n, 'n' from generate_series(1, 40) n`);
  await pair.drain(applier);
  await pair.subscriber.query(
    `set session_replication_role = replica; update keyed set seen = 'yes'; reset session_replication_role`,
  );
  await pair.provider.query(`update keyed set note = 'changed' where id > 20`);
  await pair.provider.query(`update keyed set id = default where id < 4`);
  await pair.provider.query(`update keyed set id = default, note = 'again' where id = 5`);
  await pair.provider.query(`begin; update numbered set number = default where id < 9;
    update numbered set number = default, note = 'twice' where id = 3; commit`);
  await pair.drain(applier);
  await pair.assertEqual('keyed', 'numbered');
  const { rows } = await pair.subscriber.query(`select distinct seen from keyed`);
  assert.deepEqual(rows, [{ seen: 'yes' }]);
  assert.deepEqual(applier.progress().conflicts, new Map());
});
