/** Position and commit that leave with the rows of a small part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failsWith } from '../testing/fails-with.ts';
import { Proxy } from '../testing/proxy.ts';
import { partOf, StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `
  create table bed (id text primary key, place text, note text);
  create table ward (id text primary key, note text);
`;
const tables = [table('bed', { key: ['id'] }), table('ward', { key: ['id'] })];

async function filled(options: { readonly subscriberDdl?: string } = {}): Promise<StreamPair> {
  const pair = await StreamPair.create({ ddl, tables, ...options });
  await pair.provider.query(
    `insert into bed values ('b1', 'x', 'old'), ('b2', 'y', 'old');
     insert into ward values ('w1', 'old')`,
  );
  return pair;
}

function insert(id: string): string {
  return `insert into bed values ('${id}', 'x', 'new')`;
}

function update(id: string): string {
  return `update bed set note = note || 'er' where id = '${id}'`;
}

function remove(id: string): string {
  return `delete from bed where id = '${id}'`;
}

for (const format of ['binary', 'text'] as const) {
  void test(`a small part of inserts and updates is one round trip, ${format}`, async () => {
    await using pair = await filled();
    await using link = await Proxy.start({ to: () => pair.subscriber.port });
    await using applier = await pair.applier({ port: link.port });
    // Tables are looked up, and statements prepared, when they are first met.
    for (const sql of [insert('b3'), update('b1'), remove('b3')]) {
      await pair.provider.query(sql);
    }
    await pair.provider.query(insert('b4'));
    await pair.provider.query(update('b1'));
    await pair.provider.query(remove('b4'));
    await pair.provider.query(`begin; ${insert('b5')}; ${update('b2')}; ${update('b5')}; commit`);
    const turns: number[] = [];
    for (const transaction of await pair.transactions(format)) {
      const before = link.turns;
      const position = await applier.apply(partOf([transaction]));
      assert.equal(await pair.storedPosition(), position);
      turns.push(link.turns - before);
    }
    await pair.assertEqual('bed', 'ward');
    assert.deepEqual(await pair.parked(), []);
    // Whether a row was there to be deleted is asked before it is noted.
    assert.deepEqual(turns.slice(-4), [1, 1, 2, 1]);
  });
}

void test('where another process has moved the position, nothing of a small part is here', async () => {
  await using pair = await filled();
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.provider.query(`insert into bed values ('b3', 'x', 'new')`);
  const part = await pair.part();
  await pair.subscriber.query(`update tributary.stream set epoch = epoch + 1`);
  await assert.rejects(applier.apply(part), failsWith('fenced', { provider: 'district_a' }));
  assert.ok(!(await pair.rows('subscriber', 'bed')).some((row) => row.includes('b3')));
});

void test('rows of a table with rules go in as the rules say', async () => {
  const subscriberDdl = `
    create table seen (id text);
    grant all on seen to public;
    create rule also as on update to ward do also insert into seen values (old.id);
    alter table ward enable always rule also;
  `;
  await using pair = await filled({ subscriberDdl });
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.provider.query(
    `insert into ward values ('w2', 'new'); update ward set note = 'newer' where id = 'w1'`,
  );
  await pair.drain(applier);
  await pair.assertEqual('ward');
  const { rows } = await pair.subscriber.query(`select id from seen`);
  assert.deepEqual(rows, [{ id: 'w1' }]);
  assert.deepEqual([applier.progress().replays, await pair.parked()], [0, []]);
});
