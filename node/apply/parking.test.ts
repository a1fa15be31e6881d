/** One bad row stops nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Applier } from './applier.ts';
import { partOf, StreamPair, type StreamPairOptions, table } from '../testing/stream-pair.ts';

const options: StreamPairOptions = {
  ddl: `create table bed (id text primary key, code text unique, note text)`,
  tables: [table('bed', { key: ['id'] })],
  subscriberDdl: `alter table bed add constraint short check (length(note) < 10)`,
};
const long = 'far too long to be stored';

async function levelPair(more: Partial<StreamPairOptions> = {}): Promise<StreamPair> {
  const pair = await StreamPair.create({ ...options, ...more });
  await pair.provider.query(
    `insert into bed select 'b' || n, 'c' || n, 'note' from generate_series(1, 9) n`,
  );
  await using applier = await pair.applier();
  await pair.drain(applier);
  return pair;
}

/** Both sides are the same but for these ids, which stand here as given. */
async function equalBut(
  pair: StreamPair,
  here: Readonly<Record<string, string | null>>,
): Promise<void> {
  const other = (row: string): boolean =>
    !Object.keys(here).some((id) => row.startsWith(`(${id},`));
  const expected = (await pair.rows('provider', 'bed')).filter(other);
  const stale = Object.values(here).filter((row) => row !== null);
  assert.deepEqual(
    [...(await pair.rows('subscriber', 'bed'))].sort(),
    [...expected, ...stale].sort(),
  );
}

for (const format of ['text', 'binary'] as const) {
  void test(`later changes of a parked key change nothing here, in ${format} form, also after a restart`, async () => {
    await using pair = await levelPair();
    const drain = async (applier: Applier): Promise<void> => await pair.drain(applier, format);
    {
      await using applier = await pair.applier();
      await pair.provider.query(`update bed set note = '${long}' where id = 'b1'`);
      await drain(applier);
      await pair.provider.query(`update bed set note = 'good' where id in ('b1', 'b2')`);
      await drain(applier);
      await equalBut(pair, { b1: '(b1,c1,note)' });
    }
    await using again = await pair.applier();
    await pair.provider.query(`delete from bed where id in ('b1', 'b3')`);
    await drain(again);
    await equalBut(pair, { b1: '(b1,c1,note)' });
    assert.deepEqual(await pair.parked(), ['bed ["b1"] row_failed 23514 short']);
  });

  void test(`a parked key that changes parks the key it becomes, in ${format} form`, async () => {
    await using pair = await levelPair();
    await using applier = await pair.applier();
    await pair.provider.query(`update bed set note = '${long}' where id = 'b1'`);
    await pair.drain(applier, format);
    await pair.provider.query(`update bed set id = 'n1', note = 'good' where id = 'b1'`);
    await pair.provider.query(`update bed set note = 'better' where id in ('n1', 'b2')`);
    await pair.drain(applier, format);
    await equalBut(pair, { b1: '(b1,c1,note)', n1: null });
    assert.deepEqual(await pair.parked(), [
      'bed ["b1"] row_failed 23514 short',
      'bed ["n1"] update_missing',
    ]);
  });
}

void test('an invalid state in between, beside a row that is bad for good, comes out right', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(`begin; update bed set note = '${long}' where id = 'b2';
    insert into bed values ('mended', 'm', '${long}'); commit`);
  await pair.provider.query(`insert into bed values ('bad', 'x', '${long}')`);
  await pair.provider.query(`begin; update bed set note = 'fine' where id in ('b2', 'mended');
    update bed set code = 'free' where id = 'b9';
    update bed set code = 'c9' where id = 'b1';
    update bed set code = 'c1' where id = 'b9'; commit`);
  await pair.drain(applier);
  await equalBut(pair, { bad: null });
  assert.deepEqual(await pair.parked(), ['bed ["bad"] row_failed 23514 short']);
});

void test('the same where rows must be applied one after the other', async () => {
  await using pair = await levelPair({
    subscriberDdl: `${options.subscriberDdl};
      create table seen (id text, note text);
      create function see() returns trigger language plpgsql security definer set search_path = public as
        'begin insert into seen values (new.id, new.note); return null; end';
      create trigger see after insert or update on bed for each row execute function see();
      alter table bed enable always trigger see`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into bed values ('mended', 'm', '${long}')`);
  await pair.provider.query(`insert into bed values ('bad', 'x', '${long}')`);
  await pair.provider.query(`update bed set note = 'one' where id = 'b2'`);
  await pair.provider.query(`update bed set note = 'two' where id = 'b2'`);
  await pair.provider.query(`update bed set note = 'fine' where id = 'mended'`);
  await pair.drain(applier);
  await equalBut(pair, { bad: null });
  assert.deepEqual(await pair.parked(), ['bed ["bad"] row_failed 23514 short']);
  const { rows } = await pair.subscriber.query(
    `select note from seen where id = 'b2' order by ctid`,
  );
  assert.deepEqual(
    rows.map(({ note }: { note: string }) => note),
    ['note', 'one', 'two'],
  );
});

void test('a change that waited for a value moves its own row, not the one that has its key by now', async () => {
  await using pair = await levelPair({
    subscriberDdl: `
      create function pass() returns trigger language plpgsql as 'begin return new; end';
      create trigger pass before insert or update on bed for each row execute function pass();
      alter table bed enable always trigger pass;
      insert into bed values ('here', 'taken', 'here', 'district_a')`,
  });
  await using applier = await pair.applier();
  // The last insert writes the row that stands here, and so frees the value n2 wants.
  await pair.provider.query(`begin;
    update bed set id = 'n1' where id = 'b1';
    insert into bed values ('b1', 'new', 'new');
    update bed set id = 'n2', code = 'taken' where id = 'n1';
    update bed set note = 'moved' where id = 'n2';
    insert into bed values ('here', 'other', 'here');
    commit`);
  await pair.drain(applier);
  await equalBut(pair, {});
  assert.deepEqual(await pair.parked(), []);
});

void test('bad rows of every kind are found among good ones, whatever their number', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(
    `insert into bed (id, code, note) select 'here' || n, 'taken' || n, 'x' from generate_series(1, 3) n`,
  );
  await pair.provider.query(`
    insert into bed select 'n' || n, 'd' || n, case when n % 50 = 0 then '${long}' else 'x' end from generate_series(1, 500) n;
    insert into bed select 't' || n, 'taken' || n, 'x' from generate_series(1, 3) n;
    insert into bed select 'm' || n, 'e' || n, 'x' from generate_series(1, 200) n;
    update bed set note = '${long}' where id in ('b4', 'b5');
    update bed set code = 'taken1' || id where id = 'b6'`);
  await pair.drain(applier);
  const parked = await pair.parked();
  assert.equal(parked.length, 15);
  assert.equal(parked.filter((line) => line.endsWith('row_failed 23514 short')).length, 12);
  assert.deepEqual(
    parked.filter((line) => line.includes('23505')),
    [1, 2, 3].map((n) => `bed ["t${n}"] row_failed 23505 bed_code_key`),
  );
  const { rows } = await pair.subscriber.query(
    `select count(*)::int as count from bed where tributary_origin = 'district_a'`,
  );
  assert.deepEqual(rows, [{ count: 9 + 490 + 200 }]);
});

void test('rows that hand unique values round arrive beside rows whose value is taken for good', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(
    `insert into bed (id, code, note) values ('here1', 'taken1', 'x'), ('here2', 'taken2', 'x')`,
  );
  await pair.provider.query(`begin;
    update bed set code = 'free' where id = 'b1';
    update bed set code = 'c1' where id = 'b2';
    update bed set code = 'c2' where id = 'b3';
    update bed set code = 'c3' where id = 'b1';
    insert into bed values ('t1', 'taken1', 'x'), ('t2', 'taken2', 'x');
    commit`);
  await pair.drain(applier);
  assert.deepEqual(
    await pair.parked(),
    [1, 2].map((n) => `bed ["t${n}"] row_failed 23505 bed_code_key`),
  );
  const here = (await pair.rows('subscriber', 'bed')).filter((row) => row.startsWith('(b'));
  const there = (await pair.rows('provider', 'bed')).filter((row) => row.startsWith('(b'));
  assert.deepEqual(here, there);
});

void test('parked keys make their origin incomplete in the transaction that parks them', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.subscriber.query(`
    insert into tributary.node (name) values ('north');
    insert into tributary.route (origin, via) values ('district_a', 'district_a'), ('district_b', 'district_b');
    insert into tributary.heartbeat (node, at, lsn, nonce, version, topology)
    values ('north', now(), '0/1', gen_random_uuid(), '1', 'x')`);
  await pair.provider.query(
    `update bed set note = '${long}' where id in ('b1', 'b2'); delete from bed where id = 'b3'`,
  );
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(
    `select h.origins -> 'district_a' as a, h.origins -> 'district_b' as b,
       h.xmin = (select min(p.xmin::text)::xid from tributary.parked p) as together
     from tributary.heartbeat h`,
  );
  assert.deepEqual(rows, [
    {
      a: { via: 'district_a', complete: false, reason: 'parked: 2' },
      b: { via: 'district_b', complete: false, reason: 'no_stream' },
      together: true,
    },
  ]);
});

void test('rows put beside the stream free their keys, or count as one more attempt', async () => {
  await using pair = await levelPair();
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into bed values ('one', 'x', '${long}'), ('two', 'y', '${long}')`,
  );
  const transactions = await pair.transactions();
  const inserts = transactions.flatMap(({ changes }) =>
    changes.flatMap((step) => (step.kind === 'insert' ? [step] : [])),
  );
  const [first] = inserts;
  assert.ok(first);
  await applier.apply(partOf(transactions));
  assert.equal((await pair.parked()).length, 2);
  await pair.subscriber.query(
    `alter table bed drop constraint short; alter table bed add constraint odd check (id <> 'two')`,
  );
  const present = inserts.flatMap((change) => change.new ?? []);
  const rows = { relation: first.relation, present, absent: [], expected: 'any' } as const;
  await applier.put(rows, async () => {});
  assert.deepEqual(await pair.parked(), ['bed ["two"] row_failed 23514 odd']);
  const { rows: tried } = await pair.subscriber.query(
    `select attempts, retry_at > now() + interval '40 s' as later from tributary.parked`,
  );
  assert.deepEqual(tried, [{ attempts: 1, later: true }]);
  await equalBut(pair, { two: null });
  await pair.provider.query(`update bed set note = 'now' where id in ('one', 'two')`);
  await pair.drain(applier);
  await equalBut(pair, { two: null });
});
