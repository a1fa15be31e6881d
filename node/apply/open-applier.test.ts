import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { majors } from '../testing/database.ts';
import { failsWith } from '../testing/fails-with.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `
  create table visit (
    id uuid primary key default gen_random_uuid(),
    status text not null default 'draft',
    note text,
    amount numeric(10,2),
    body text
  );
  alter table visit alter column body set storage external;
  create unique index visit_up on visit (id, status);
  alter table visit replica identity using index visit_up;`;
const tables = [table('visit')];
const id = (n: number): string => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;

for (const major of majors()) {
  for (const format of ['text', 'binary'] as const) {
    void test(`inserts, updates, deletes and a truncate arrive (${major}, ${format})`, async () => {
      await using pair = await StreamPair.create({ major, ddl, tables });
      await using applier = await pair.applier();
      const { provider } = pair;
      const body = randomBytes(10_000).toString('hex');
      await provider.query(
        `insert into visit (id, note, amount, body) select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'n' || n, n * 1.5, $1 from generate_series(1, 50) n`,
        [body],
      );
      await pair.drain(applier, format);
      await pair.assertEqual('visit');
      await provider.query(`update visit set note = null, amount = amount + 1 where amount > 20`);
      await provider.query(`update visit set status = 'approved' where amount < 30`);
      await provider.query(`delete from visit where id = $1`, [id(3)]);
      await provider.query(`update visit set id = gen_random_uuid() where id = $1`, [id(4)]);
      await pair.drain(applier, format);
      await pair.assertEqual('visit');
      await provider.query(`truncate visit`);
      await provider.query(`insert into visit (id, note) values ($1, 'after')`, [id(1)]);
      await pair.drain(applier, format);
      await pair.assertEqual('visit');
      const { rows } = await pair.subscriber.query(`select distinct tributary_origin from visit`);
      assert.deepEqual(rows, [{ tributary_origin: 'district_a' }]);
      assert.deepEqual(applier.progress().conflicts, new Map());
      assert.equal(applier.progress().replays, 0);
      assert.equal(await pair.storedPosition(), applier.progress().position);
    });
  }
}

void test('a part applied before changes nothing', async () => {
  await using pair = await StreamPair.create({ ddl, tables });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit (id) values ($1)`, [id(1)]);
  const part = await pair.part();
  const position = await applier.apply(part);
  await pair.subscriber.query(`update visit set note = 'later'`);
  assert.equal(await applier.apply(part), position);
  await using again = await pair.applier();
  assert.equal(await again.apply(part), position);
  const { rows } = await pair.subscriber.query(`select note from visit`);
  assert.deepEqual(rows, [{ note: 'later' }]);
});

void test('a process that another one took over from is fenced', async () => {
  await using pair = await StreamPair.create({ ddl, tables });
  await using first = await pair.applier();
  await pair.provider.query(`insert into visit (id) values ($1)`, [id(1)]);
  const part = await pair.part();
  await using second = await pair.applier({ epoch: 2n });
  await assert.rejects(first.apply(part), failsWith('fenced'));
  assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  await second.apply(part);
  await pair.assertEqual('visit');
});
