/** A child cannot hurt its siblings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamPair, type StreamPairOptions, table } from '../testing/stream-pair.ts';

const ddl = `create table visit (id text primary key, note text)`;
const leaf: StreamPairOptions = {
  ddl,
  tables: [table('visit', { key: ['id'] })],
  subscriberDdl: `insert into visit values ('sibling', 'b', 'district_b'), ('here', 'n', 'north'), ('nobody', 'x', 'west')`,
};
const middle: StreamPairOptions = {
  ...leaf,
  providerDdl: `alter table visit add column tributary_origin text not null default 'south'`,
  scope: {
    provider: 'south',
    providerIsLeaf: false,
    subtree: new Set(['south', 'district_a']),
    elsewhere: new Set(['north', 'district_b']),
  },
};

async function all(pair: StreamPair): Promise<unknown[]> {
  const { rows } = await pair.subscriber.query(
    `select id, note, tributary_origin as origin from visit order by id collate "C"`,
  );
  return rows.map((row: Record<string, string>) => Object.values(row).join(' '));
}

const untouched = ['here n north', 'nobody x west', 'sibling b district_b'];

for (const id of ['sibling', 'nobody']) {
  void test(`an insert on the key of a row of ${id} is parked as a violation, and never overwrites it`, async () => {
    await using pair = await StreamPair.create(leaf);
    await using applier = await pair.applier();
    await pair.provider.query(`insert into visit values ('fine', 'a'), ('${id}', 'mine')`);
    await pair.drain(applier);
    assert.deepEqual(await all(pair), ['fine a district_a', ...untouched]);
    assert.deepEqual(await pair.parked(), [`visit ["${id}"] origin_violation`]);
    assert.deepEqual(
      applier.progress().conflicts,
      new Map([
        ['insert_exists public.visit', 1],
        ['origin_violation public.visit', 1],
      ]),
    );
  });
}

void test('an update of a row of a sibling is parked as a violation', async () => {
  await using pair = await StreamPair.create({
    ...leaf,
    publication: `create publication tributary_up for table visit where (id <> 'secret')`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('own', 'a'), ('sibling', 'a')`);
  await pair.transactions();
  await pair.provider.query(`update visit set note = 'mine'`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), [
    'here n north',
    'nobody x west',
    'own mine district_a',
    'sibling b district_b',
  ]);
  assert.deepEqual(await pair.parked(), ['visit ["sibling"] origin_violation']);
  assert.equal(applier.progress().conflicts.get('update_origin_differs public.visit'), 1);
});

void test('a delete of a row that comes by another way is counted and left', async () => {
  await using pair = await StreamPair.create(leaf);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('sibling', 'a'), ('gone', 'a')`);
  await pair.transactions();
  await pair.provider.query(`delete from visit`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), untouched);
  assert.deepEqual(
    applier.progress().conflicts,
    new Map([
      ['rerouted public.visit', 1],
      ['delete_missing public.visit', 1],
    ]),
  );
});

void test('a delete of a row of an unknown origin is parked as a violation', async () => {
  await using pair = await StreamPair.create(leaf);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('nobody', 'a')`);
  await pair.transactions();
  await pair.provider.query(`delete from visit`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), untouched);
  assert.deepEqual(await pair.parked(), ['visit ["nobody"] origin_violation']);
  assert.equal(applier.progress().conflicts.get('delete_origin_differs public.visit'), 1);
});

void test('a truncate removes the rows of the subtree and no others', async () => {
  await using pair = await StreamPair.create(leaf);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('one', 'a'), ('two', 'a')`);
  await pair.drain(applier);
  await pair.provider.query(`begin; insert into visit values ('three', 'a'); truncate visit;
    insert into visit values ('four', 'a'); commit`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['four a district_a', ...untouched]);
  assert.equal(applier.progress().rows.get('public.visit')?.truncate, 1);
});

void test('rows of a middle node keep the origin they were entered under', async () => {
  await using pair = await StreamPair.create(middle);
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values ('s', 'a', default), ('d', 'a', 'district_a')`,
  );
  await pair.provider.query(`update visit set note = 'b' where id = 'd'`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), [
    'd b district_a',
    'here n north',
    'nobody x west',
    's a south',
    'sibling b district_b',
  ]);
});

void test('rows of an origin that comes by another way are counted and left', async () => {
  await using pair = await StreamPair.create(middle);
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values ('s', 'a', default), ('moved', 'a', 'district_b'), ('sibling', 'c', 'district_b')`,
  );
  await pair.provider.query(
    `update visit set note = 'later' where tributary_origin = 'district_b'`,
  );
  await pair.drain(applier);
  assert.deepEqual(await all(pair), [
    'here n north',
    'nobody x west',
    's a south',
    'sibling b district_b',
  ]);
  assert.deepEqual(applier.progress().conflicts, new Map([['rerouted public.visit', 4]]));
});

void test('a row of an origin nobody knows is parked as a violation', async () => {
  await using pair = await StreamPair.create(middle);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('w', 'a', 'west')`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), untouched);
  assert.deepEqual(await pair.parked(), ['visit ["w"] origin_violation']);
});

void test('a column of the application that names the node serves as origin', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id text primary key, note text, district char(12) not null)`,
    tables: [table('visit', { key: ['id'], origin: 'district' })],
    subscriberDdl: `insert into visit values ('sibling', 'b', 'district_b')`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values ('a', 'a', 'district_a'), ('b', 'b', 'district_b')`,
  );
  await pair.provider.query(`update visit set note = 'new'`);
  await pair.drain(applier, 'binary');
  const { rows } = await pair.subscriber.query(`select id, note from visit order by id`);
  assert.deepEqual(rows, [
    { id: 'a', note: 'new' },
    { id: 'sibling', note: 'b' },
  ]);
});

/** The provider has come to bring the rows of district_a, and does not have them all yet. */
const awaiting: StreamPairOptions = {
  ...middle,
  scope: { ...middle.scope, awaited: new Set(['district_a']) },
  providerDdl: `alter table visit add column tributary_origin text not null default 'south'`,
  subscriberDdl: `insert into visit values ('kept', 'a', 'district_a'), ('own', 's', 'south')`,
};

void test('of an origin that is awaited rows are added and changed, and none is removed', async () => {
  await using pair = await StreamPair.create(awaiting);
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit values ('kept', 'a', 'district_a'), ('own', 's', 'south'), ('more', 'a', 'district_a')`,
  );
  await pair.provider.query(`update visit set note = 'new' where id = 'kept'`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['kept new district_a', 'more a district_a', 'own s south']);
  await pair.provider.query(`delete from visit where id in ('kept', 'own')`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['kept new district_a', 'more a district_a']);
  await pair.provider.query(`insert into visit values ('own', 's', 'south')`);
  await pair.provider.query(`truncate visit`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['kept new district_a', 'more a district_a']);
  assert.deepEqual(await pair.parked(), []);
  assert.equal(applier.progress().conflicts.get('rerouted public.visit'), 1);
});

void test('a key that an awaited origin gives up and takes again is changed in its place', async () => {
  await using pair = await StreamPair.create(awaiting);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values ('kept', 'a', 'district_a')`);
  await pair.drain(applier);
  await pair.provider.query(
    `begin; delete from visit where id = 'kept'; insert into visit values ('kept', 'again', 'district_a'); commit`,
  );
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['kept again district_a', 'own s south']);
  assert.deepEqual(await pair.parked(), []);
});
