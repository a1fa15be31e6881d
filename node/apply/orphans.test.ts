/** Rows that refer to rows which are not here: `orphans: wait`, the rule of a table that names none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostParked } from '../parking/parked-view.ts';
import { partOf, spooledPart, StreamPair, table } from '../testing/stream-pair.ts';

const ddl = `
  create table ward (code text primary key, released boolean not null default true);
  create table bed (id int primary key, ward text references ward, released boolean not null default true);
  create table stay (id int primary key, bed int references bed, within int references stay);`;

const identity = `
  alter table ward add unique (code, released); alter table bed add unique (id, released);
  alter table ward replica identity using index ward_code_released_key;
  alter table bed replica identity using index bed_id_released_key;`;

const publication = `create publication tributary_up for table ward where (released), bed where (released), stay`;
const tables = [
  table('ward', { key: ['code'] }),
  table('bed', { key: ['id'] }),
  table('stay', { key: ['id'] }),
];

async function hospital(): Promise<StreamPair> {
  return await StreamPair.create({ ddl, providerDdl: identity, tables, publication });
}

async function all(pair: StreamPair): Promise<readonly string[]> {
  const { rows } = await pair.subscriber.query(
    `select 'ward ' || code as line from ward union all select 'bed ' || id from bed union all select 'stay ' || id from stay order by 1`,
  );
  return (rows as { line: string }[]).map(({ line }) => line);
}

/** Keys of parked rows that are due now. */
async function due(pair: StreamPair): Promise<readonly string[]> {
  const { rows } = await pair.subscriber.query(
    `select concat_ws(' ', p.table_name, p.key) as line from tributary.parked p where p.retry_at <= now() order by 1`,
  );
  return (rows as { line: string }[]).map(({ line }) => line);
}

void test('a row whose referred row is not here waits, others of its transaction go in', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(`insert into ward values ('draft', false), ('open', true)`);
  await pair.provider.query(
    `begin; insert into bed values (1, 'draft'), (2, 'open'), (3, null); insert into stay values (1, 2, null); commit`,
  );
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['bed 2', 'bed 3', 'stay 1', 'ward open']);
  assert.deepEqual(await pair.parked(), ['bed ["1"] orphan']);
  assert.deepEqual(await due(pair), []);
});

for (const format of ['text', 'binary'] as const) {
  void test(`a row that refers to one that waits, waits too; the arrival makes it due, as ${format}`, async () => {
    await using pair = await hospital();
    await using applier = await pair.applier();
    await pair.provider.query(`insert into ward values ('draft', false)`);
    await pair.provider.query(
      `insert into bed values (1, 'draft'); insert into stay values (1, 1, null), (2, null, 1)`,
    );
    await pair.drain(applier, format);
    assert.deepEqual(await all(pair), []);
    assert.deepEqual(await pair.parked(), [
      'bed ["1"] orphan',
      'stay ["1"] orphan',
      'stay ["2"] orphan',
    ]);
    await pair.provider.query(`insert into ward values ('other')`);
    await pair.drain(applier, format);
    assert.deepEqual(await due(pair), []);
    await pair.provider.query(`update ward set released = true`);
    await pair.drain(applier, format);
    assert.deepEqual(await due(pair), ['bed ["1"]']);
  });
}

void test('the referred row may come later in the same part, or be the row itself', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(`insert into ward values ('a', false)`);
  await pair.provider.query(
    `insert into bed values (1, 'a'); insert into stay values (1, 1, 1), (2, 1, 1); update ward set released = true`,
  );
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['bed 1', 'stay 1', 'stay 2', 'ward a']);
  assert.deepEqual(await pair.parked(), []);
});

void test('a row whose referred row is withdrawn stays as it stands, and waits with its next change', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into ward values ('a'), ('b'); insert into bed values (1, 'a')`,
  );
  await pair.drain(applier);
  await pair.provider.query(`update ward set released = false where code = 'a'`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['bed 1', 'ward b']);
  assert.deepEqual(await pair.parked(), []);
  await pair.provider.query(
    `update ward set released = false where code = 'b'; update bed set ward = 'b'`,
  );
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(`select ward from bed`);
  assert.deepEqual(rows, [{ ward: 'a' }]);
  assert.deepEqual(await pair.parked(), ['bed ["1"] orphan']);
});

void test('an orphan that is deleted in its own part is none', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into ward values ('a', false); insert into bed values (1, 'a')`,
  );
  await pair.provider.query(`update bed set ward = null`);
  await pair.provider.query(`insert into bed values (2, 'a'); delete from bed where id = 2`);
  await pair.drain(applier);
  assert.deepEqual(await all(pair), ['bed 1']);
  assert.deepEqual(await pair.parked(), []);
});

void test('keys that wait do not count towards the bound of parked keys', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  const count = mostParked + 1;
  await pair.provider.query(
    `insert into ward values ('a', false); insert into bed select n, 'a' from generate_series(1, ${count}) n`,
  );
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(
    `select count(*)::int as parked, (select count(*)::int from tributary.blocked) as blocked from tributary.parked`,
  );
  assert.deepEqual(rows, [{ parked: count, blocked: 0 }]);
});

void test('of a transaction in slices the orphans wait, and what is there by its end is none', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(`insert into ward values ('a', false), ('b', false)`);
  await pair.part();
  await pair.provider.query(
    `begin; insert into bed values (1, 'a'), (2, 'b'); truncate stay; update ward set released = true where code = 'a'; insert into stay values (1, 2, null), (2, 1, null); commit`,
  );
  const transactions = await pair.transactions();
  const [whole] = transactions;
  assert.ok(whole);
  const slices = whole.changes.map((step) => [{ ...whole, changes: [step] }]);
  await applier.apply(spooledPart(slices, whole.endLsn));
  assert.deepEqual(await all(pair), ['bed 1', 'stay 2', 'ward a']);
  assert.deepEqual(await pair.parked(), ['bed ["2"] orphan', 'stay ["1"] orphan']);
});

void test('a copy is judged when its table is through: orphans among its rows are taken out, and wait', async () => {
  await using pair = await hospital();
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into ward values ('a', true), ('b', false); insert into bed values (1, 'a')`,
  );
  await pair.provider.query(`insert into stay values (3, null, null)`);
  const transactions = await pair.transactions();
  await applier.apply(partOf(transactions));
  await pair.provider.query(
    `insert into stay values (1, 9, 2), (2, 1, null), (4, null, 1), (5, 1, 5)`.replace('9', 'null'),
  );
  const rows = (await pair.transactions()).flatMap(({ changes }) => changes);
  const [first] = rows;
  assert.ok(first && first.kind === 'insert');
  const present = rows.flatMap((row) => (row.kind === 'insert' && row.new ? [row.new] : []));
  const [one, , four, five] = present;
  assert.ok(one && four && five);
  const put = async (some: typeof present, copied: boolean): Promise<void> =>
    await applier.put(
      { relation: first.relation, present: some, absent: [], expected: 'new', copied },
      async () => await Promise.resolve(),
    );
  // Page by page: the row that 1 refers to does not come.
  await put([one], false);
  await put([four, five], false);
  assert.deepEqual(await pair.parked(), []);
  await put([], true);
  assert.deepEqual(await pair.parked(), ['stay ["1"] orphan', 'stay ["4"] orphan']);
  assert.deepEqual(await all(pair), ['bed 1', 'stay 3', 'stay 5', 'ward a']);
});

void test('of a copied table rows that may be the last copy are not taken out, nor those of an origin that is awaited', async () => {
  await using pair = await StreamPair.create({
    ddl,
    tables,
    scope: { subtree: new Set(['district_a', 'district_c']), awaited: new Set(['district_c']) },
    // The child went back in time, and what the beds refer to was taken out here.
    subscriberDdl: `set session_replication_role = replica;
      insert into bed values (1, 'gone', true, 'district_a'), (2, 'gone', true, 'district_a'), (3, 'gone', true, 'district_c');
      insert into tributary.parked (provider, schema_name, table_name, key, reason, only_here, retry_at)
        values ('district_a', 'public', 'bed', '["1"]', 'rewound', true, 'infinity');
      reset session_replication_role`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into ward values ('a'); insert into bed values (4, 'a')`);
  const [step] = (await pair.transactions()).flatMap(({ changes }) => changes).slice(1);
  assert.ok(step?.kind === 'insert');
  await applier.put(
    { relation: step.relation, present: [], absent: [], expected: 'any', copied: true },
    async () => await Promise.resolve(),
  );
  assert.deepEqual(await all(pair), ['bed 1', 'bed 3']);
  assert.deepEqual(await pair.parked(), ['bed ["1"] rewound', 'bed ["2"] orphan']);
});

const reshaped = {
  tables: [table('ward', { key: ['code'] }), table('bed', { key: ['id'] })],
  providerDdl: `alter table bed drop constraint bed_ward_fkey`,
};

void test('a table that changes its shape within a part is judged in each of its shapes', async () => {
  await using pair = await StreamPair.create({
    ...reshaped,
    ddl: `create table ward (code text primary key);
      create table bed (id int primary key, old text, ward text references ward)`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`begin;
    insert into ward values ('w'); insert into bed values (1, 'o', 'w'), (2, 'o', 'none');
    alter table bed drop column old;
    insert into bed values (3, 'w'), (4, 'none');
    commit`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(1,w)', '(3,w)']);
  assert.deepEqual(await pair.parked(), ['bed ["2"] orphan', 'bed ["4"] orphan']);
});

void test('no column of one shape is taken for the reference of another', async () => {
  await using pair = await StreamPair.create({
    ...reshaped,
    ddl: `create table ward (code text primary key);
      create table bed (id int primary key, old text, ward text references ward, note text)`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`begin;
    insert into ward values ('w'); insert into bed values (1, 'o', 'w', 'w');
    alter table bed drop column old;
    insert into bed values (2, 'none', 'w');
    commit`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(1,w,w)']);
  assert.deepEqual(await pair.parked(), ['bed ["2"] orphan']);
});

/** Numbers here are narrower: some of what the provider has can not be stored, and not even be asked for. */
async function narrow(rule: 'wait' | 'deactivate'): Promise<StreamPair> {
  const orphans = rule === 'wait' ? { rule } : { rule, column: 'active' };
  return await StreamPair.create({
    ddl: `create table ward (code bigint primary key);
      create table bed (id bigint primary key, ward bigint references ward)`,
    tables: [table('ward', { key: ['code'] }), table('bed', { key: ['id'], orphans })],
    subscriberDdl: `alter table bed drop constraint bed_ward_fkey;
      alter table ward alter column code type int;
      alter table bed alter column ward type int, alter column id type int,
        add foreign key (ward) references ward, add column active boolean`,
  });
}

const tooGreat = 5_000_000_000;

for (const rule of ['wait', 'deactivate'] as const) {
  void test(`rows whose values do not fit here are parked, and not judged, under ${rule}`, async () => {
    await using pair = await narrow(rule);
    await using applier = await pair.applier();
    await pair.provider.query(
      `insert into ward values (1), (2), (${tooGreat}); insert into bed values (1, 1), (2, ${tooGreat}), (${tooGreat}, 1)`,
    );
    await pair.drain(applier);
    const parked = [
      'bed ["2"] row_failed 22003',
      `bed ["${tooGreat}"] row_failed 22003`,
      `ward ["${tooGreat}"] row_failed 22003`,
    ];
    assert.deepEqual(await pair.parked(), parked);
    assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(1,1)']);
    // What is parked is not judged when it changes either, nor a state in between that was never stored.
    await pair.provider.query(`begin;
      update bed set ward = ward where id <> 1;
      update bed set ward = ${tooGreat} where id = 1;
      update bed set ward = 2 where id = 1;
      commit`);
    await pair.drain(applier);
    assert.deepEqual(await pair.parked(), parked);
    assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(1,2)']);
  });
}
