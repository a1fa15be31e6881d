/** Tables compared as a whole: what is one number for both must be the same rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChild } from '../testing/child.ts';
import { majors, type TestDatabase } from '../testing/database.ts';

/** A type, and two values that are not the same to whoever reads them. */
const unlike: readonly (readonly [type: string, one: string | null, other: string | null])[] = [
  // PostgreSQL's hash of eight bytes folds their halves into one: these are one number to it.
  ['bigint', '1', '4294967296'],
  ['timestamptz', '2000-01-01 00:00:00.000001+00', '2000-01-01 01:11:34.967296+00'],
  ['timestamp', '2000-01-01 00:00:00.000001', '2000-01-01 01:11:34.967296'],
  ['numeric', '1.0', '1.00'],
  ['double precision', '0', '-0'],
  ['text', '', null],
  ['text', 'a', 'a '],
  ['varchar(9)', 'a', 'a '],
  ['character(3)', 'a', 'b'],
  ['boolean', 'false', null],
  ['boolean', 'false', 'true'],
  ['integer', '0', null],
  ['integer', '1', '-1'],
  ['smallint', '1', '256'],
  ['date', '2000-01-01', '2000-01-02'],
  ['date', 'infinity', '-infinity'],
  ['timestamp', 'infinity', '-infinity'],
  ['timestamptz', 'infinity', null],
  ['uuid', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0100-000000000000'],
  ['bytea', '\\x01', '\\x0100'],
  ['interval', '1 day', '24:00:00'],
  ['jsonb', '{"a": 1.0}', '{"a": 1.00}'],
  ['integer[]', '{1,2}', '{2,1}'],
  ['bit(8)', '00000001', '00000010'],
  ['whole', '1', '4294967296'],
  ['moment', '2000-01-01 00:00:00.000001+00', '2000-01-01 01:11:34.967296+00'],
];

async function digest(database: TestDatabase): Promise<string> {
  const { rows } = await database.query(
    `select count || ' ' || digest as digest
     from tributary.range_digest('public.item', '{id,value,note}', '{id}', 'true', null, null)`,
  );
  return (rows as { digest: string }[])[0]?.digest ?? '';
}

/** By type and value, as the first version said it. */
const known = new Map<string, string>();

for (const major of majors()) {
  void test(`PostgreSQL ${major}: no two values of a type are the same number, and it is that of every version`, async () => {
    await using database = await createChild(major);
    await database.query(
      'create domain public.whole as bigint; create domain public.moment as timestamptz(6)',
    );
    for (const [type, one, other] of unlike) {
      await database.query(
        `create table public.item (id integer primary key, value ${type}, note text default 'n')`,
      );
      await database.query('insert into public.item values (1, $1)', [one]);
      const first = await digest(database);
      const name = JSON.stringify([type, one]);
      assert.equal(first, known.get(name) ?? first, type);
      known.set(name, first);
      await database.query('update public.item set value = $1', [other]);
      assert.notEqual(await digest(database), first, type);
      await database.query('update public.item set value = $1', [one]);
      assert.equal(await digest(database), first, type);
      await database.query('drop table public.item');
    }
  });
}

void test('what one row has is not made up for by another that has it on the other side', async () => {
  await using database = await createChild(18);
  await database.query(
    `create table public.item (id integer primary key, value integer, note text);
     insert into public.item values (1, 1, 'a'), (2, 2, 'a')`,
  );
  const first = await digest(database);
  await database.query('update public.item set value = 3 - value');
  assert.notEqual(await digest(database), first);
});
