/** What rows have broken is asked of the rows that follow: no other row is parked than those PostgreSQL would refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors } from '../testing/database.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `create table visit (id integer primary key, code text, amount numeric(6,1), note text)`;
const subscriberDdl = `
  alter table visit add column local text default 'here';
  alter table visit add constraint most check (amount <= 10), add constraint local_only check (note <> 'no' or local is null);
  create unique index visit_code on visit (code)`;

async function opened(major: number): Promise<StreamPair> {
  return await StreamPair.create({ major, ddl, subscriberDdl, tables: [table('visit')] });
}

async function ids(pair: StreamPair): Promise<readonly number[]> {
  const { rows } = await pair.subscriber.query(
    `select array_agg((key ->> 0)::int order by (key ->> 0)::int) as ids from tributary.parked`,
  );
  return (rows as { ids: number[] | null }[])[0]?.ids ?? [];
}

for (const major of majors()) {
  for (const format of ['text', 'binary'] as const) {
    void test(`on PostgreSQL ${major}, in ${format} form, every row that breaks a check is parked and no other, null breaks nothing`, async () => {
      await using pair = await opened(major);
      await using applier = await pair.applier();
      for (const from of [0, 100]) {
        await pair.provider.query(
          `insert into visit (id, amount) select ${from} + n, case n % 4 when 0 then 10.04 when 1 then 10.06 when 2 then null else 3 end
           from generate_series(1, 40) n`,
        );
        await pair.drain(applier, format);
      }
      const bad = Array.from({ length: 10 }, (_, n) => 4 * n + 1);
      assert.deepEqual(await ids(pair), [...bad, ...bad.map((id) => 100 + id)]);
      const { rows } = await pair.subscriber.query(
        `select count(*)::int as count, count(amount)::int as known, max(amount)::text as most from visit`,
      );
      assert.deepEqual(rows, [{ count: 60, known: 40, most: '10.0' }]);
    });
  }

  void test(`on PostgreSQL ${major} a check that is gone is not held against rows that follow`, async () => {
    await using pair = await opened(major);
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into visit (id, amount) select n, 5 + n from generate_series(1, 8) n`,
    );
    await pair.drain(applier);
    await pair.subscriber.query(`alter table visit drop constraint most`);
    await pair.provider.query(
      `insert into visit (id, amount) select n, 5 + n from generate_series(11, 18) n`,
    );
    await pair.drain(applier);
    assert.deepEqual(await ids(pair), [6, 7, 8]);
    await pair.subscriber.query(
      `alter table visit add constraint most check (amount <= 20) not valid`,
    );
    await pair.provider.query(
      `insert into visit (id, amount) select n, n from generate_series(19, 22) n`,
    );
    await pair.drain(applier);
    assert.deepEqual(await ids(pair), [6, 7, 8, 21, 22]);
  });

  void test(`on PostgreSQL ${major} a check on what is kept here only is found by trying`, async () => {
    await using pair = await opened(major);
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into visit (id, note) select n, case when n % 5 = 0 then 'no' else 'yes' end from generate_series(1, 20) n`,
    );
    await pair.drain(applier);
    assert.deepEqual(await ids(pair), [5, 10, 15, 20]);
    assert.deepEqual((await pair.parked())[0], 'visit ["10"] row_failed 23514 local_only');
  });

  void test(`on PostgreSQL ${major} a value that was taken and is free again, or is freed by the same part, goes in`, async () => {
    await using pair = await opened(major);
    await pair.subscriber.query(
      `insert into visit (id, code, tributary_origin) values (900, 'c1', 'north'), (901, 'c2', 'north')`,
    );
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into visit (id, code) select n, 'c' || n from generate_series(1, 8) n`,
    );
    await pair.drain(applier);
    assert.deepEqual(await ids(pair), [1, 2]);
    await pair.subscriber.query(`update visit set code = null where id = 901`);
    await pair.provider.query(`
      insert into visit (id, code) values (11, 'd11'), (12, 'd12');
      update visit set code = 'c9' where id = 3;
      insert into visit (id, code) values (13, 'c3');
      update visit set code = 'c1' where id = 4;
      update visit set code = 'free' where id = 5;
      update visit set code = 'c60' where id = 6;
      update visit set code = 'c6' where id = 7`);
    await pair.drain(applier);
    await pair.provider.query(`insert into visit (id, code) values (14, 'c2'), (15, 'd15')`);
    await pair.drain(applier);
    assert.deepEqual(await ids(pair), [1, 2, 4]);
    const { rows } = await pair.subscriber.query(
      `select string_agg(id || ' ' || code, ', ' order by id) as rows from visit where id < 900`,
    );
    assert.deepEqual(rows, [
      { rows: '3 c9, 4 c4, 5 free, 6 c60, 7 c6, 8 c8, 11 d11, 12 d12, 13 c3, 14 c2, 15 d15' },
    ]);
  });
}
