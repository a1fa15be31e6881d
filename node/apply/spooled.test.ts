/** A transaction larger than memory: slice by slice, in one local transaction. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { change, relationOf, transactionOf } from '../testing/changes.ts';
import { failsWith } from '../testing/fails-with.ts';
import { spooledPart, StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `create table visit (id text primary key, note text)`;
const options = { ddl, tables: [table('visit', { key: ['id'] })] };
const relation = relationOf(['id', 'note']);
const position = 0x100n as Lsn;

/** Rows from `from` on, as a slice made when it is asked for. */
function slice(from: number, count: number, note: string): readonly Transaction[] {
  const changes = Array.from({ length: count }, (_, n) =>
    change('insert', relation, { new: [`k${from + n}`, note] }),
  );
  return [transactionOf(changes, position)];
}

void test('a spooled part of 100,000 rows is applied in bounded memory and seen at once or not at all', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  const note = 'x'.repeat(2000);
  const seen = new Set<string>();
  let highest = 0;
  const part: Part = {
    ...spooledPart([], position),
    async *slices() {
      for (let from = 0; from < 100_000; from += 2000) {
        yield slice(from, 2000, note);
        const memory = process.memoryUsage();
        highest = Math.max(highest, memory.heapUsed + memory.external);
        const { rows } = await pair.subscriber.query(`select count(*) as count from visit`);
        seen.add((rows as { count: string }[])[0]?.count ?? '');
      }
    },
  };
  const before = process.memoryUsage();
  assert.equal(await applier.apply(part), position);
  assert.deepEqual([...seen], ['0']);
  const { rows } = await pair.subscriber.query(`select count(*)::int as count from visit`);
  assert.deepEqual(rows, [{ count: 100_000 }]);
  const grown = highest - before.heapUsed - before.external;
  assert.ok(grown < 100 << 20, `${grown >> 20} MiB for 200 MB of rows`);
  assert.equal(applier.progress().transactions, 1);
});

void test('a slice that only succeeds in its order leaves the slices before it as they are', async () => {
  await using pair = await StreamPair.create({
    ...options,
    subscriberDdl: `alter table visit add unique (note)`,
  });
  await using applier = await pair.applier();
  const one = [
    change('insert', relation, { new: ['a', '1'] }),
    change('insert', relation, { new: ['b', '2'] }),
  ];
  const two = [
    change('update', relation, { new: ['b', 'free'] }),
    change('update', relation, { new: ['a', '2'] }),
    change('update', relation, { new: ['b', '1'] }),
  ];
  const slices = [[transactionOf(one, position)], [transactionOf(two, position)]];
  await applier.apply(spooledPart(slices, position));
  assert.deepEqual(
    await pair.subscriber.query(`select id, note from visit order by id`).then((r) => r.rows),
    [
      { id: 'a', note: '2' },
      { id: 'b', note: '1' },
    ],
  );
  assert.equal(applier.progress().replays, 1);
});

void test('a bad row of a slice is parked; the rest of all slices arrives', async () => {
  await using pair = await StreamPair.create({
    ...options,
    subscriberDdl: `alter table visit add constraint odd check (id <> 'k31')`,
  });
  await using applier = await pair.applier();
  const slices = [slice(0, 20, 'n'), slice(20, 20, 'n'), slice(30, 5, 'n')];
  await applier.apply(spooledPart(slices, position));
  const { rows } = await pair.subscriber.query(`select count(*)::int as count from visit`);
  assert.deepEqual(rows, [{ count: 39 }]);
  assert.deepEqual(await pair.parked(), ['visit ["k31"] row_failed 23514 odd']);
});

void test('a slice that fails as a whole leaves nothing of the slices before it', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier({ lockTimeoutMs: 50 });
  await pair.subscriber.query(
    `insert into visit (id, note, tributary_origin) values ('k31', 'old', 'district_a')`,
  );
  const holder = await pair.subscriber.admin.connect();
  try {
    await holder.query(`begin; select from visit for update`);
    const slices = [slice(0, 20, 'n'), slice(20, 20, 'n')];
    const part = spooledPart(slices, position);
    await assert.rejects(applier.apply(part), failsWith('local_busy', { sqlstate: '55P03' }));
    await holder.query('rollback');
  } finally {
    holder.release();
  }
  const { rows } = await pair.subscriber.query(`select count(*)::int as count from visit`);
  assert.deepEqual(rows, [{ count: 1 }]);
});

void test('a part without transactions stores its position and nothing else', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  const empty: Part = { ...spooledPart([], 0x20n as Lsn), transactionCount: 0, spooled: false };
  assert.equal(await applier.apply(empty), 0x20n);
  assert.equal(await pair.storedPosition(), 0x20n);
  const { rows } = await pair.subscriber.query(`select xmin::text as xmin from tributary.stream`);
  await applier.apply(empty);
  const again = await pair.subscriber.query(`select xmin::text as xmin from tributary.stream`);
  assert.deepEqual(again.rows, rows);
});
