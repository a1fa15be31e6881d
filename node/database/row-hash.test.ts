/** The number a row is compared by: the same on every version, another for the smallest difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import { migrate } from './migrate.ts';

const definitions = `
  create domain code as char(6);
  create type mood as enum ('sad', 'fine');
  create type pair as (a int, b text);
  create table item (
    id int primary key, word text, code code, amount numeric, ratio float8, flag boolean, address inet, mood mood, pair pair,
    list text[], at timestamptz, span interval, raw bytea, document jsonb, key uuid, days daterange, letter "char", label name
  )`;

const values = `'ä', 'ab', 1.0, 0.1, true, '10.0.0.1', 'sad', (1, 'x'), '{a,NULL,b}', '2026-01-02 03:04:05+02', '1 day', '\\x0001',
  '{"a": 1.50}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[2026-01-01,2026-02-01)', 'c', 'n'`;

async function hashes(database: TestDatabase): Promise<ReadonlyMap<number, string>> {
  const { rows } = await database.query(
    `select h.number + 1 as id, h.hash::text as hash
     from tributary.hashes_by_key(
       'item', (select array_agg(attname::text order by attnum) from pg_attribute where attrelid = 'item'::regclass and attnum > 1),
       '{id}', 'true', (select jsonb_agg(jsonb_build_array(id::text) order by id) from item)
     ) h`,
  );
  return new Map((rows as { id: number; hash: string }[]).map(({ id, hash }) => [id, hash]));
}

async function place(major: number): Promise<TestDatabase> {
  const database = await TestDatabase.create(major);
  const client = new pg.Client({ connectionString: database.url(roles.owner) });
  await client.connect();
  await migrate(client);
  await client.end();
  await database.query(definitions);
  await database.query(`insert into item values (1, ${values})`);
  return database;
}

const differences = [
  `word = null`,
  `word = ''`,
  `word = 'ä '`,
  `code = 'abc'`,
  `code = null`,
  `amount = 1.00`,
  `ratio = 0.1::float8 + 1e-17 * 2`,
  `ratio = '-0'`,
  `ratio = '0'`,
  `flag = false`,
  `flag = null`,
  `address = '10.0.0.1/8'`,
  `mood = 'fine'`,
  `pair = (1, null)`,
  `pair = (null, null)`,
  `pair = null`,
  `list = '{a,"NULL",b}'`,
  `list = '{}'`,
  `at = at + interval '1 microsecond'`,
  `span = '24 hours'`,
  `raw = '\\x0000'`,
  `document = '{"a": 1.5}'`,
  `document = '{"a": "1.50"}'`,
  `key = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'`,
  `days = '(2026-01-01,2026-02-01)'`,
  `letter = 'd'`,
  `label = ''`,
];

void test('two rows that differ in anything have different numbers, two that do not have one', async () => {
  await using database = await place(newest());
  for (const [n, difference] of differences.entries()) {
    await database.query(`insert into item values (${n + 2}, ${values})`);
    await database.query(`update item set ${difference} where id = ${n + 2}`);
  }
  await database.query(`insert into item values (1000, ${values})`);
  const found = await hashes(database);
  assert.equal(found.size, differences.length + 2);
  const last = differences.length + 2;
  assert.equal(found.get(last), found.get(1), 'the same row once more');
  assert.equal(new Set(found.values()).size, differences.length + 1);
});

void test('the number of a row is the same on every version, whatever its types', async () => {
  const numbers = new Set<string | undefined>();
  for (const major of majors()) {
    await using database = await place(major);
    numbers.add((await hashes(database)).get(1));
  }
  assert.equal(numbers.size, 1);
});

/**
 * Found by a lost slot under work: of two rows of a block one was old here, the other was not yet sent when the digest was made
 * there. Both had been changed alike, and the sums were the same.
 */
void test('the same change of two rows does not make the same difference in their digests', async () => {
  await using database = await place(newest());
  await database.query(`
    insert into item (id, word, key) select n, 'before', gen_random_uuid() from generate_series(2, 101) n;
    create table changed as select * from item where id > 1;
    update changed set word = 'meanwhile'`);
  const { rows } = await database.query(`
    select count(distinct after.hash::numeric - before.hash)::int as differences
    from tributary.hashes_by_key('item', '{id,word,key}', '{id}', 'id > 1', (select jsonb_agg(jsonb_build_array(id::text) order by id) from changed)) before
    join tributary.hashes_by_key('changed', '{id,word,key}', '{id}', 'true', (select jsonb_agg(jsonb_build_array(id::text) order by id) from changed)) after using (number)`);
  assert.deepEqual(rows, [{ differences: 100 }]);
});
