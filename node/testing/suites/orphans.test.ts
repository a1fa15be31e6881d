/**
 * `orphans: wait` over three levels: rows that refer to rows which are not approved yet, in the first copy and in the
 * stream. No level ever shows a row without what it refers to, and each goes in by itself when that has come.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusReport } from '../../monitor/status-report.ts';
import { roles } from '../database.ts';
import { chain, Tree } from '../tree.ts';

const sql = `
  create table public.ward (code text primary key, released boolean not null default false);
  create table public.bed (
    id uuid primary key default gen_random_uuid(),
    name text not null unique,
    ward text not null references public.ward (code)
  );
  create table public.stay (
    id uuid primary key default gen_random_uuid(),
    name text not null unique,
    bed text references public.bed (name),
    within text references public.stay (name)
  );`;

const yaml = `tables:
  - table: public.ward
    key: [code]
    approved: released
  - table: public.bed
  - table: public.stay
`;

const tables = [
  { name: 'ward', approved: 'released', key: 'code' },
  { name: 'bed', approved: null, key: 'id' },
  { name: 'stay', approved: null, key: 'id' },
];

/** Names of the rows at a node, as one line. */
async function names(tree: Tree, node: string): Promise<string> {
  const [row] = await tree.node(node).database.query<{ names: string }>(
    `select concat_ws(' ',
       (select string_agg(code, ' ' order by code) from public.ward),
       (select string_agg(name, ' ' order by name) from public.bed),
       (select string_agg(name, ' ' order by name) from public.stay)) as names`,
  );
  return row?.names ?? '';
}

async function shows(tree: Tree, expected: string): Promise<void> {
  for (const node of ['north', 'nation']) {
    let seen = '';
    const what = `${node} shows ${expected}`;
    const done = async (): Promise<boolean> => (seen = await names(tree, node)) === expected;
    await tree.until(done, { what, ms: 120_000 }).catch((error: unknown) => {
      assert.equal(seen, expected, node);
      throw error;
    });
  }
}

void test('rows wait for what they refer to, at every level, in the first copy and in the stream', async () => {
  await using tree = await Tree.create({
    parents: chain,
    application: { sql, yaml, tables },
    start: false,
  });
  await tree.prepare();
  const leaf = await tree.node('district_a').database.client(roles.owner);
  await leaf.query(`
    insert into public.ward values ('w1', true), ('w2', false), ('w3', false);
    insert into public.bed (name, ward) values ('b1', 'w1'), ('b2', 'w2'), ('b3', 'w3');
    insert into public.stay (name, bed, within) values ('s1', 'b1', null), ('s2', 'b2', null), ('s3', null, 's2'), ('s4', null, 's1')`);
  await tree.startAll();
  await shows(tree, 'w1 b1 s1 s4');
  const waiting = await tree
    .node('north')
    .database.query<{ line: string }>(
      `select p.table_name || ' ' || p.reason as line from tributary.parked p order by 1`,
    );
  assert.deepEqual(
    waiting.map(({ line }) => line),
    ['bed orphan', 'bed orphan', 'stay orphan', 'stay orphan'],
  );
  await tree.until(
    async () => {
      const { streams } = await tree.status<StatusReport>('north');
      const [stream] = streams;
      return stream?.complete === false && stream.parked.every(({ reason }) => reason === 'orphan');
    },
    { what: 'status says that keys wait' },
  );

  await leaf.query(`update public.ward set released = true where code = 'w2'`);
  await shows(tree, 'w1 w2 b1 b2 s1 s2 s3 s4');

  await leaf.query(`insert into public.stay (name, bed) values ('s5', 'b3'), ('s6', 'b2')`);
  await shows(tree, 'w1 w2 b1 b2 s1 s2 s3 s4 s6');

  // What stands stays when what it refers to is withdrawn; what comes then waits.
  await leaf.query(`update public.ward set released = false where code = 'w1'`);
  await leaf.query(`insert into public.bed (name, ward) values ('b4', 'w1')`);
  await shows(tree, 'w2 b1 b2 s1 s2 s3 s4 s6');

  await leaf.query(`update public.ward set released = true`);
  await shows(tree, 'w1 w2 w3 b1 b2 b3 b4 s1 s2 s3 s4 s5 s6');
  for (const node of ['north', 'nation']) {
    assert.deepEqual(await tree.node(node).database.query(`select from tributary.parked`), []);
  }
  await tree.waitLevel();
  await leaf.end();
});

/**
 * A copy looks for no orphans until the table is through. Killed behind a page, the table went on as a comparison, since a
 * good part of the rest stood here, and what the copy had brought was never looked at.
 */
void test('a copy that goes on as a comparison after a kill leaves no orphan behind', async () => {
  await using tree = await Tree.create({
    parents: { north: null, district_a: 'north' },
    application: { sql, yaml, tables },
    crashing: true,
  });
  const leaf = tree.node('district_a').database;
  const { database } = tree.node('north');
  await leaf.query(`
    insert into public.ward values ('w1', true), ('w2', false);
    insert into public.bed (id, name, ward)
      select ('ffffffff-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n, 'w1' from generate_series(1, 150) n`);
  await tree.waitLevel();

  tree.link('district_a').refuse();
  await tree.until(
    async () => (await leaf.query(`select from pg_replication_slots where active`)).length === 0,
    { what: 'nobody reads the slot' },
  );
  // The first page holds most of them, and not all.
  await leaf.query(`
    select pg_drop_replication_slot('tributary_north');
    insert into public.bed (id, name, ward)
      select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n || (select string_agg(md5(n || ' ' || part), '') from generate_series(1, 6) part),
        case when n % 10 = 0 then 'w2' else 'w1' end
      from generate_series(1, 700) n`);
  await leaf.query(`vacuum analyze`);
  await tree.crash('north').arm('page-committed');
  tree.link('district_a').heal();
  await tree.until(() => !tree.process('north').running, { what: 'north dies', ms: 60_000 });
  const [walk] = await database.query<{ walked: number }>(
    `select walked::int from tributary.reconcile where table_name = 'bed'`,
  );
  assert.ok(walk && walk.walked > 400 && walk.walked < 700, `${walk?.walked} rows are copied`);
  tree.start('north');
  await tree.until(
    async () =>
      (await database.query(`select from tributary.stream where incomplete is null`)).length === 1,
    { what: 'every table is equal', ms: 60_000 },
  );
  const orphans = await database.query(
    `select from public.bed b where not exists (select from public.ward w where w.code = b.ward)`,
  );
  assert.equal(orphans.length, 0);
  await leaf.query(`update public.ward set released = true`);
  await tree.waitLevel();
});
