/** What a person may do about a parked key, and what nobody may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { openPool } from '../database/connect.ts';
import { queryOf, tributaryDatabase } from '../database/tables.ts';
import { failsWith } from '../testing/fails-with.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';
import { discardKey, freeKeys } from './deeds.ts';
import { because, type KeyOfTable, type NewParked } from './parked-key.ts';
import { noteAttempt, park, unpark } from './parked-table.ts';
import { ParkedView } from './parked-view.ts';
import { listRewound, rewoundKeys } from './rewound-table.ts';

const bed = { schema: 'public', name: 'bed' };
const all = { provider: 'district_a', table: null, key: null };
const by = { node: 'north', actor: 'a person' };

const pairOptions = {
  ddl: `create table bed (id text primary key)`,
  tables: [table('bed', { key: ['id'] })],
};
const last = { table: bed, key: ['last'] };

/** After a restart, while the child can not be reached, nothing of the stream is loaded. */
void test('a key that may be the last copy is not given up, whether its stream runs or not', async () => {
  await using pair = await StreamPair.create(pairOptions);
  await using pool = poolOf(pair);
  const database = tributaryDatabase(pool);
  const query = queryOf(database);
  const running = new ParkedView('district_a');
  const refused = { table: bed, key: ['refused'] };
  await park(query, 'district_a', [violation(refused)]);
  await listRewound(query, running, [{ ...last, onlyHere: true, origin: 'district_a' }]);
  const give = async (view: ParkedView, key: KeyOfTable): Promise<void> => {
    await discardKey(database, view, { key, reason: 'no longer wanted', by });
  };
  for (const view of [running, new ParkedView('district_a')]) {
    await assert.rejects(give(view, last), failsWith('key_not_parked'));
  }
  assert.equal((await rewoundKeys(query, all, 10)).length, 1);

  await give(new ParkedView('district_a'), refused);
  assert.deepEqual(await pair.parked(), ['bed ["last"] rewound']);
  // A person's word frees it: from then on it is as any other.
  await freeKeys(database, running, { table: null, keys: null, by });
  assert.equal(running.isRewound(last), false);
  await give(running, last);
  assert.deepEqual(await pair.parked(), []);
});

void test('whatever else is found about a key that may be the last copy, it stays that', async () => {
  await using pair = await StreamPair.create(pairOptions);
  await using pool = poolOf(pair);
  const query = queryOf(tributaryDatabase(pool));
  const view = new ParkedView('district_a');
  await listRewound(query, view, [{ ...last, onlyHere: true, origin: 'district_a' }]);
  await park(query, 'district_a', [violation(last)]);
  view.add([violation(last)]);
  await noteAttempt(query, 'district_a', [violation(last)]);
  await unpark(query, 'district_a', [last]);
  assert.deepEqual(await pair.parked(), ['bed ["last"] rewound']);
  assert.equal(view.isRewound(last), true);
});

function violation(key: KeyOfTable): NewParked {
  return { ...key, ...because('origin_violation'), origin: null, waitsFor: null };
}

function poolOf(pair: StreamPair): pg.Pool & AsyncDisposable {
  const pool = openPool({ url: pair.subscriber.url(), applicationName: 'test', max: 2 });
  return Object.assign(pool, { [Symbol.asyncDispose]: async () => await pool.end() });
}
