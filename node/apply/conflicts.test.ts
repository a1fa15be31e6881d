/** Every conflict of docs/conflicts.md, counted under its name. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { NewParked } from '../parking/parked-key.ts';
import { block, unblock } from '../parking/blocked-table.ts';
import { mostParked, ParkedView } from '../parking/parked-view.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';
import { noteParked } from './part-noting.ts';

interface Case {
  readonly name: string;
  /** What stands here before, beside the rows that came: as the superuser. */
  readonly here?: string;
  /** What the child does. */
  readonly there: string;
  /** Conflicts, and keys parked. */
  readonly counted: Readonly<Record<string, number>>;
  readonly parked?: readonly string[];
}

const mine = 'district_a';
const cases: readonly Case[] = [
  {
    name: 'insert_exists: the key stands here already',
    here: `insert into bed values ('n', 'x', 'y', 'old', '${mine}')`,
    there: `insert into bed values ('n', 'n', 'n', 'new')`,
    counted: { insert_exists: 1 },
  },
  {
    name: 'insert_exists: a natural key made at two places is never overwritten',
    here: `insert into bed values ('n', 'x', 'y', 'of b', 'district_b')`,
    there: `insert into bed values ('n', 'n', 'n', 'of a')`,
    counted: { insert_exists: 1, origin_violation: 1 },
    parked: ['bed ["n"] origin_violation'],
  },
  {
    name: 'insert_exists: another row holds a unique value',
    here: `insert into bed values ('h', 'taken', 'y', 'here', 'north')`,
    there: `insert into bed values ('n', 'taken', 'n', 'new')`,
    counted: { insert_exists: 1 },
    parked: ['bed ["n"] row_failed 23505 bed_code_key'],
  },
  {
    name: 'update_exists',
    here: `insert into bed values ('h', 'taken', 'y', 'here', 'north')`,
    there: `update bed set code = 'taken' where id = 'b1'`,
    counted: { update_exists: 1 },
    parked: ['bed ["b1"] row_failed 23505 bed_code_key'],
  },
  {
    name: 'multiple_unique_conflicts',
    here: `insert into bed values ('h', 'taken', 'y', 'here', 'north'), ('i', 'z', 'also', 'here', 'north')`,
    there: `update bed set code = 'taken', place = 'also' where id = 'b1'`,
    counted: { multiple_unique_conflicts: 1 },
    parked: ['bed ["b1"] row_failed 23505 bed_code_key'],
  },
  {
    name: 'update_missing',
    here: `delete from bed where id = 'b1'`,
    there: `update bed set note = 'changed' where id = 'b1'`,
    counted: { update_missing: 1 },
  },
  {
    name: 'update_origin_differs',
    here: `update bed set tributary_origin = 'district_b' where id = 'b1'`,
    there: `update bed set note = 'changed' where id = 'b1'`,
    counted: { update_origin_differs: 1, origin_violation: 1 },
    parked: ['bed ["b1"] origin_violation'],
  },
  {
    name: 'delete_missing',
    here: `delete from bed where id = 'b1'`,
    there: `delete from bed where id = 'b1'`,
    counted: { delete_missing: 1 },
  },
  {
    name: 'delete_origin_differs',
    here: `update bed set tributary_origin = 'nobody' where id = 'b1'`,
    there: `delete from bed where id = 'b1'`,
    counted: { delete_origin_differs: 1, origin_violation: 1 },
    parked: ['bed ["b1"] origin_violation'],
  },
];

for (const { name, here, there, counted, parked = [] } of cases) {
  void test(name, async () => {
    await using pair = await StreamPair.create({
      ddl: `create table bed (id text primary key, code text unique, place text unique, note text)`,
      tables: [table('bed', { key: ['id'] })],
    });
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into bed values ('b1', 'c1', 'p1', 'x'), ('b2', 'c2', 'p2', 'x')`,
    );
    await pair.drain(applier);
    await pair.subscriber.query(here ?? '');
    await pair.provider.query(there);
    await pair.provider.query(`update bed set note = 'last' where id = 'b2'`);
    await pair.drain(applier);
    const found = [...applier.progress().conflicts].map(([type, count]) => [
      type.replace(' public.bed', ''),
      count,
    ]);
    assert.deepEqual(Object.fromEntries(found), counted);
    assert.deepEqual(await pair.parked(), parked);
    const { rows } = await pair.subscriber.query(`select note from bed where id = 'b2'`);
    assert.deepEqual(rows, [{ note: 'last' }]);
  });
}

void test('the documents explain every conflict', async () => {
  const text = await readFile(new URL('../../docs/conflicts.md', import.meta.url), 'utf8');
  for (const type of cases.flatMap(({ counted }) => Object.keys(counted))) {
    assert.ok(text.includes(`\`${type}\``), type);
  }
});

function keys(reason: 'row_failed' | 'orphan', count: number): readonly NewParked[] {
  return Array.from({ length: count }, (_, n) => ({
    table: { schema: 'public', name: 'bed' },
    key: [`${reason} ${n}`],
    origin: mine,
    reason,
    sqlstate: null,
    column: null,
    constraint: null,
    type: null,
    waitsFor: null,
  }));
}

void test('a table with more parked keys than the bound is blocked, and its changes are left out', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table bed (id text primary key); create table cot (id text primary key)`,
    tables: [table('bed', { key: ['id'] }), table('cot', { key: ['id'] })],
  });
  const query = async (text: string, values: readonly unknown[] = []) =>
    await pair.subscriber.query(text, [...values]);
  const view = new ParkedView('district_a');
  // What PostgreSQL gives back of a statement of apply is all noteParked asks of it.
  const asApply = query as Parameters<typeof noteParked>[2];
  const waiting = noteParked(keys('orphan', mostParked + 1), view, asApply);
  await Promise.all(waiting.sent);
  waiting.committed();
  assert.equal(view.isBlocked('public.bed'), false);
  const noted = noteParked(keys('row_failed', mostParked + 1), view, asApply);
  await Promise.all(noted.sent);
  noted.committed();
  assert.equal(view.isBlocked('public.bed'), true);
  assert.equal(view.counted('public.bed'), mostParked);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into bed values ('left'); insert into cot values ('comes')`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'bed'), []);
  assert.deepEqual(await pair.rows('subscriber', 'cot'), ['(comes)']);
  await unblock(query, 'district_a', { schema: 'public', name: 'bed' });
  await block(query, 'district_a', { table: { schema: 'public', name: 'cot' }, drift: null });
  await using again = await pair.applier();
  await pair.provider.query(`insert into bed values ('now'); insert into cot values ('left')`);
  await pair.drain(again);
  assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(now)']);
  assert.deepEqual(await pair.rows('subscriber', 'cot'), ['(comes)']);
});
