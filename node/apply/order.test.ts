/** Sequences that mean something in their order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partOf, spooledPart, StreamPair, table } from '../testing/stream-pair.ts';
import { until } from '../testing/until.ts';

const ddl = `
  create table bed (id text primary key, code text unique, note text);
  create table place (id text primary key, code text unique deferrable initially deferred);`;
const tables = [table('bed', { key: ['id'] }), table('place', { key: ['id'] })];

async function levelPair(): Promise<StreamPair> {
  const pair = await StreamPair.create({
    ddl,
    tables,
    subscriberDdl: `alter table bed add column seen text default 'no'`,
  });
  await pair.provider.query(`
    insert into bed select 'b' || n, 'c' || n, 'note' from generate_series(1, 9) n;
    insert into place select 'p' || n, 'c' || n from generate_series(1, 9) n;`);
  await using applier = await pair.applier();
  await pair.drain(applier);
  await pair.assertEqual('bed', 'place');
  return pair;
}

void test('keys that change places arrive', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(`begin;
    update bed set id = 't' where id = 'b1';
    update bed set id = 'b1' where id = 'b2';
    update bed set id = 'b2' where id = 't';
    commit`);
  await pair.drain(applier);
  await pair.assertEqual('bed');
  assert.equal(applier.progress().replays, 1);
});

void test('a unique value handed from row to row in one transaction arrives', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(`begin;
    update bed set code = 'free' where id = 'b9';
    update bed set code = 'c9' where id = 'b1';
    update bed set code = 'c1' where id = 'b5';
    delete from bed where id = 'b3';
    insert into bed values ('b0', 'c3', 'new');
    commit`);
  await pair.provider.query(`update bed set note = 'other transaction'`);
  await pair.drain(applier);
  await pair.assertEqual('bed');
  assert.deepEqual(applier.progress().conflicts, new Map());
});

void test('a unique value handed over in a large transaction makes few statements, not one per change', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`
    create sequence statements;
    create function count_statement() returns trigger language plpgsql security definer
      set search_path = public as 'begin perform nextval(''statements''); return null; end';
    create trigger count_statement after insert or update or delete on bed
      for each statement execute function count_statement();
    alter table bed enable always trigger count_statement;`);
  await pair.provider.query(`begin;
    insert into bed select 'n' || n, 'd' || n, 'new' from generate_series(1, 2000) n;
    update bed set code = 'free' where id = 'b9';
    update bed set code = 'c9' where id = 'b1';
    update bed set note = 'all';
    commit`);
  await pair.drain(applier);
  await pair.assertEqual('bed');
  const { rows } = await pair.subscriber.query(`select last_value::int as count from statements`);
  const [{ count }] = rows as [{ count: number }];
  assert.ok(count < 200, `${count} statements for 4,000 changes`);
});

void test('values of a deferred constraint that change places arrive', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(
    `update place set code = case id when 'p1' then 'c2' else 'c1' end where id in ('p1', 'p2')`,
  );
  await pair.drain(applier);
  await pair.assertEqual('place');
});

void test('a deferred constraint that PostgreSQL does not enforce under apply is enforced', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`insert into place (id, code) values ('here', 'c77')`);
  const before = await pair.rows('subscriber', 'place');
  await pair.provider.query(`insert into place values ('there', 'c77'), ('fine', 'c78')`);
  await pair.drain(applier);
  assert.deepEqual(await pair.parked(), ['place ["there"] row_failed 23505 place_code_key']);
  assert.deepEqual(await pair.rows('subscriber', 'place'), [...before, '(fine,c78)'].sort());
});

void test('in slices a row that breaks a deferred constraint with one that stands here is parked, whichever key is greater', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(
    `insert into place values ('a', 'first', 'district_a'), ('z', 'last', 'district_a')`,
  );
  const before = await pair.rows('subscriber', 'place');
  await pair.provider.query(
    `insert into place values ('m', 'last'), ('n', 'first'), ('o', 'own'); update place set code = code where id = 'p1'`,
  );
  const transactions = await pair.transactions();
  const position = transactions.at(-1)?.endLsn;
  assert.ok(position);
  await applier.apply(
    spooledPart(
      transactions.map((one) => [one]),
      position,
    ),
  );
  const broken = 'row_failed 23505 place_code_key';
  assert.deepEqual(await pair.parked(), [`place ["m"] ${broken}`, `place ["n"] ${broken}`]);
  assert.deepEqual(await pair.rows('subscriber', 'place'), [...before, '(o,own)'].sort());
});

void test('a deferred constraint is judged of the rows that went in, not of a key that does not fit here', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table place (id bigint primary key, code text unique deferrable initially deferred)`,
    tables: [table('place', { key: ['id'] })],
    subscriberDdl: `alter table place alter column id type int`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into place values (1, 'c1'), (5000000000, 'c2')`);
  await pair.drain(applier);
  assert.deepEqual(await pair.parked(), ['place ["5000000000"] row_failed 22003']);
  assert.deepEqual(await pair.rows('subscriber', 'place'), ['(1,c1)']);
});

void test('a deferred constraint is enforced over all slices of a large transaction, and between two streams', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier({ lockTimeoutMs: 200 });
  await pair.provider.query(
    `insert into place select 'n' || n, 'n' || n from generate_series(1, 9) n`,
  );
  const [whole] = await pair.transactions();
  assert.ok(whole);
  const slices = [0, 3, 6].map((at) => [{ ...whole, changes: whole.changes.slice(at, at + 3) }]);
  const part = spooledPart(slices, whole.endLsn);
  await pair.subscriber.query(`insert into place (id, code) values ('here', 'n2')`);
  // What the check of another stream holds until its commit.
  const other = await pair.subscriber.admin.connect();
  try {
    await other.query(`begin;
      set local session_replication_role = replica;
      insert into place (id, code) values ('other', 'n4');
      select pg_advisory_xact_lock(hashtextextended('tributary public.place', 0))`);
    const applying = applier.apply(part);
    await until(
      async () => {
        const { rows } = await pair.subscriber.query(
          `select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      },
      { what: 'the check waits', everyMs: 5 },
    );
    await other.query('commit');
    await applying;
  } finally {
    other.release();
  }
  const broken = 'row_failed 23505 place_code_key';
  assert.deepEqual(await pair.parked(), [`place ["n2"] ${broken}`, `place ["n4"] ${broken}`]);
  const { rows } = await pair.subscriber.query(
    `select id from place where id like 'n%' order by id`,
  );
  assert.deepEqual(
    rows.map(({ id }: { id: string }) => id),
    ['n1', 'n3', 'n5', 'n6', 'n7', 'n8', 'n9'],
  );
});

/** Values that go round, so that only steps get them in, and a step whose value is taken for good. */
const circle = `
  update bed set code = 'free' where id = 'b1';
  update bed set code = 'c1' where id = 'b2';
  update bed set code = 'c2' where id = 'b1';
  update bed set code = 'taken' where id = 'b3';`;

void test('a truncate is not repeated behind the rows that follow it', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`insert into bed values ('here', 'taken')`);
  await pair.provider.query(`begin; truncate place; insert into place values ('a', 'c1'); commit`);
  await pair.provider.query(`begin; ${circle} commit`);
  await pair.drain(applier);
  assert.deepEqual(await pair.parked(), ['bed ["b3"] row_failed 23505 bed_code_key']);
  await pair.assertEqual('place');
  assert.equal(applier.progress().rows.get('public.place')?.truncate, 1);
});

void test('a step that failed before a truncate is not taken again behind it', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`insert into bed values ('here', 'taken')`);
  await pair.provider.query(
    `begin; ${circle} truncate bed; insert into bed values ('a', 'c1'), ('b', 'c3'); commit`,
  );
  await pair.drain(applier);
  assert.deepEqual(await pair.parked(), []);
  assert.deepEqual(await pair.rows('subscriber', 'bed'), ['(a,c1,)', '(b,c3,)', '(here,taken,)']);
});

void test('a row deleted and made again has the local defaults again; one only changed keeps its values', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`update bed set seen = 'yes'`);
  await pair.provider.query(`begin;
    delete from bed where id = 'b1'; insert into bed values ('b1', 'c1', 'again');
    update bed set note = 'changed' where id = 'b2';
    update bed set id = 'moved' where id = 'b3';
    commit`);
  await pair.drain(applier);
  await pair.assertEqual('bed');
  const { rows } = await pair.subscriber.query(
    `select id, seen from bed where id in ('b1', 'b2', 'moved') order by id`,
  );
  assert.deepEqual(rows, [
    { id: 'b1', seen: 'no' },
    { id: 'b2', seen: 'yes' },
    { id: 'moved', seen: 'yes' },
  ]);
});

/**
 * Found by a thousand random transactions, once in 150 runs of them: the row that moves waited for a unique value, a new row
 * of its old key was put in its place, and moved on in its stead. One of the two was lost.
 */
void test('a row whose key is given to a new row moves first, also when it waits for a unique value', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(`begin;
    update bed set id = 'moved', code = 'free' where id = 'b3';
    update bed set code = 'given' where id = 'b8';
    update bed set code = 'c8' where id = 'moved';
    insert into bed values ('b3', 'c3', 'new');
    commit`);
  await pair.drain(applier);
  await pair.assertEqual('bed');
  assert.deepEqual(applier.progress().conflicts, new Map());
});

void test('a thousand random transactions leave both sides equal', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(`
    do $$
    declare r int; k text; begin
      perform setseed(0.42);
      for i in 1..1500 loop
        r := (random() * 6)::int; k := 'b' || (random() * 12)::int;
        begin
          if r = 0 then insert into bed values (k, 'c' || (random() * 12)::int, 'i' || i);
          elsif r = 1 then delete from bed where id = k;
          elsif r = 2 then update bed set code = 'c' || (random() * 12)::int where id = k;
          elsif r = 3 then update bed set id = 'b' || (random() * 12)::int where id = k;
          elsif r = 4 then update bed set note = 'u' || i where id = k;
          else
            update bed set code = 'h' || i where id = k;
            update bed set code = 'c' || (random() * 12)::int where id > k;
          end if;
        exception when unique_violation then null;
        end;
        if i % 3 = 0 then commit; end if;
      end loop;
    end $$;`);
  const transactions = await pair.transactions();
  for (let at = 0; at < transactions.length; at += 37) {
    await applier.apply(partOf(transactions.slice(at, at + 37)));
  }
  await pair.assertEqual('bed');
  assert.deepEqual(applier.progress().conflicts, new Map());
});
