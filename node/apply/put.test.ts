/** Rows of a range beside the stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Relation } from '../pgoutput/messages.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { failsWith } from '../testing/fails-with.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `create table item (id uuid primary key, code text unique, note text)`;
const key = (n: number): string => `00000000-0000-0000-0000-00000000000${n}`;

/** Rows as the provider would read them: taken from what it streams. */
async function sample(pair: StreamPair): Promise<{ relation: Relation; tuples: readonly Tuple[] }> {
  const changes = (await pair.transactions()).flatMap((each) => each.changes);
  const rows = changes.flatMap((step) => (step.kind === 'insert' && step.new ? [step] : []));
  const relation = rows[0]?.relation;
  assert.ok(relation);
  return { relation, tuples: rows.flatMap((row) => row.new ?? []) };
}

void test('rows of a range go in whatever stands here, and the position stays where it is', async () => {
  await using pair = await StreamPair.create({ ddl, tables: [table('item')] });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into item values ('${key(1)}', 'a', 'one'), ('${key(2)}', 'b', 'two'), ('${key(3)}', 'c', 'three')`,
  );
  const { relation, tuples } = await sample(pair);
  await pair.subscriber.query(
    `insert into item values ('${key(2)}', 'old', 'old', 'district_a'), ('${key(4)}', 'gone', 'gone', 'district_a')`,
  );
  const before = await pair.storedPosition();
  const [, second] = tuples;
  assert.ok(second);
  await applier.put({ relation, present: tuples, absent: [], expected: 'new' }, async (query) => {
    await query(`update tributary.stream set incomplete = 'noted'`);
  });
  assert.deepEqual((await pair.rows('subscriber', 'item')).length, 4);
  await pair.provider.query(`update item set id = '${key(4)}' where id = '${key(1)}'`);
  const gone = (await pair.transactions()).flatMap(({ changes }) =>
    changes.flatMap((step) => (step.kind === 'update' && step.new ? [step.new] : [])),
  );
  await applier.put({ relation, present: [], absent: gone, expected: 'any' }, async () => {});
  const { rows } = await pair.subscriber.query(
    `select code, tributary_origin as origin from item order by id`,
  );
  assert.deepEqual(rows, [
    { code: 'a', origin: 'district_a' },
    { code: 'b', origin: 'district_a' },
    { code: 'c', origin: 'district_a' },
  ]);
  assert.equal(await pair.storedPosition(), before);
  const { rows: noted } = await pair.subscriber.query(
    `select incomplete, last_commit from tributary.stream`,
  );
  assert.deepEqual(noted, [{ incomplete: 'noted', last_commit: null }]);
});

void test('what is noted with the rows is there only with the rows', async () => {
  await using pair = await StreamPair.create({ ddl, tables: [table('item')] });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into item values ('${key(1)}', 'a', 'one')`);
  const { relation, tuples } = await sample(pair);
  const put = applier.put(
    { relation, present: tuples, absent: [], expected: 'new' },
    async (query) => {
      await query(`update tributary.stream set epoch = epoch + 1, incomplete = 'noted'`);
    },
  );
  await assert.rejects(put, failsWith('fenced'));
  const { rows } = await pair.subscriber.query(
    `select (select count(*)::int from item) as rows, incomplete from tributary.stream`,
  );
  assert.deepEqual(rows, [{ rows: 0, incomplete: null }]);
});
