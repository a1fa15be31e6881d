import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors } from '../testing/database.ts';
import { partOf, StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `create table public.visit (
  id uuid primary key,
  place integer,
  note text,
  at timestamptz,
  amount numeric(12,2),
  twice integer generated always as (place * 2) stored,
  serial integer generated always as identity
)`;

const rows = `select id, place, note, at, amount, twice, serial from public.visit order by id`;

for (const major of majors()) {
  void test(`on PostgreSQL ${major} new rows in binary form go in by COPY as they came, nulls and empty texts too`, async () => {
    await using pair = await StreamPair.create({ major, ddl, tables: [table('visit')] });
    await pair.provider.query(
      `insert into public.visit (id, place, note, at, amount)
       select gen_random_uuid(), nullif(n % 7, 0), case n % 3 when 0 then '' when 1 then repeat('ñ', n) end,
         now() - n * interval '1 hour', n / 7.0
       from generate_series(1, 2000) n`,
    );
    await using applier = await pair.applier();
    await applier.apply(await pair.part('binary'));
    const [there, here] = [await pair.provider.query(rows), await pair.subscriber.query(rows)];
    assert.equal(here.rows.length, 2000);
    assert.deepEqual(here.rows, there.rows);
    const copies = await pair.subscriber.query(
      `select distinct tributary_origin from public.visit`,
    );
    assert.deepEqual(copies.rows, [{ tributary_origin: 'district_a' }]);
    assert.equal(applier.progress().replays, 0);
  });

  void test(`on PostgreSQL ${major} a key that stands here already is updated, its identity too, and the rows beside it go in`, async () => {
    await using pair = await StreamPair.create({ major, ddl, tables: [table('visit')] });
    const key = '00000000-0000-0000-0000-000000000001';
    await pair.subscriber.query(
      `insert into public.visit (id, note, tributary_origin) values ('${key}', 'old', 'district_a')`,
    );
    await pair.provider.query(
      `insert into public.visit (id, note)
       select case when n = 50 then '${key}' else gen_random_uuid() end, 'new' from generate_series(1, 100) n`,
    );
    await using applier = await pair.applier();
    await applier.apply(await pair.part('binary'));
    const { rows: found } = await pair.subscriber.query(
      `select note, count(*)::int as count, count(distinct serial)::int as serials from public.visit group by note`,
    );
    assert.deepEqual(found, [{ note: 'new', count: 100, serials: 100 }]);
    assert.equal(applier.progress().conflicts.get('insert_exists public.visit'), 1);
  });

  void test(`on PostgreSQL ${major} a table that goes away under a COPY is left out, and no row of it is parked`, async () => {
    await using pair = await StreamPair.create({ major, ddl, tables: [table('visit')] });
    await using applier = await pair.applier();
    for (let left = 3; left > 0; left -= 1) {
      await pair.provider.query(
        `insert into public.visit (id, note) select gen_random_uuid(), 'new' from generate_series(1, 100) n`,
      );
    }
    const [first, second, third] = await pair.transactions('binary');
    assert.ok(first && second && third);
    // The relation is told in the first, and looked up for it alone.
    await applier.apply(partOf([first, second]));
    await pair.subscriber.query(`alter table public.visit rename to visit_before`);
    await applier.apply(partOf([third]));
    const { rows: blocked } = await pair.subscriber.query(
      `select table_name, cause from tributary.blocked`,
    );
    assert.deepEqual(blocked, [{ table_name: 'visit', cause: 'no_table' }]);
    assert.deepEqual(await pair.parked(), []);
  });
}
