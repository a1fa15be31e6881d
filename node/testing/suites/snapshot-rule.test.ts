/**
 * Where a position alone would be wrong: a commit can be applied here while its own server does not show it yet, and a
 * transaction can have written to a table before that was published.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { chain, Tree } from '../tree.ts';

const id = '00000000-0000-0000-0000-000000000001';

void test('a commit that is applied here and not visible there is not undone by reading the range', async () => {
  await using tree = await Tree.create({ parents: chain });
  const leaf = tree.node('district_a').database;
  const north = tree.node('north').database;
  await leaf.query(
    `insert into public.case_report (id, status, note) values ('${id}', 'approved', 'first')`,
  );
  await tree.waitLevel();
  await setStandby(leaf, 'nobody');
  const client = await leaf.client(roles.owner);
  const updating = client.query(`update public.case_report set note = 'second'`);
  // Ended with the tree, should the test fail before.
  updating.catch(() => {});
  await tree.until(async () => (await note(north)) === 'second', {
    what: 'the region has what the district does not show',
  });
  assert.equal(await note(leaf), 'first');
  await demand(north);
  // Two looks of the reconciler and more: it has begun, and waits.
  await tree.until(async () => (await state(north)) === 'running', { what: 'the table is read' });
  await heartbeats(tree, 4);
  assert.deepEqual([await state(north), await note(north)], ['running', 'second']);
  await setStandby(leaf, '');
  await updating;
  await client.end();
  await tree.until(async () => (await state(north)) === 'done', { what: 'the table is equal' });
  assert.equal(await note(north), 'second');
  await tree.waitLevel();
});

void test('what wrote to a table before it was published arrives with the others', async () => {
  await using tree = await Tree.create({ parents: chain });
  for (const { database } of tree.nodes) {
    const owner = await database.client(roles.owner);
    await owner.query(`create table public.visit (id uuid primary key, note text)`);
    await owner.end();
  }
  const leaf = tree.node('district_a').database;
  await leaf.query(`insert into public.visit values (gen_random_uuid(), 'before')`);
  const open = await leaf.client(roles.owner);
  await open.query(`begin; insert into public.visit values (gen_random_uuid(), 'open')`);
  const text = await readFile(tree.file, 'utf8');
  await writeFile(tree.file, text.replace('tables:\n', 'tables:\n  - table: public.visit\n'));
  await tree.prepare();
  for (const { name } of tree.nodes) {
    tree.process(name).signal('SIGHUP');
  }
  await open.query(`insert into public.visit values (gen_random_uuid(), 'later')`);
  await heartbeats(tree, 3);
  await open.query('commit');
  await open.end();
  for (const name of ['north', 'nation']) {
    await tree.until(async () => (await visits(tree.node(name).database)).length === 3, {
      what: `every row is at ${name}`,
      ms: 60_000,
    });
    assert.deepEqual(await visits(tree.node(name).database), ['before', 'later', 'open']);
  }
});

async function setStandby(leaf: NodeDatabase, name: string): Promise<void> {
  await leaf.query(`alter system set synchronous_standby_names = '${name}'`);
  await leaf.query(`select pg_reload_conf()`);
}

async function note(database: NodeDatabase): Promise<string | null> {
  const rows = await database.query<{ note: string }>(
    `select note from public.case_report where id = '${id}'`,
  );
  return rows[0]?.note ?? null;
}

async function demand(north: NodeDatabase): Promise<void> {
  await north.query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ('district_a', 'public', 'case_report', 'asked')`,
  );
}

async function state(north: NodeDatabase): Promise<string | null> {
  const rows = await north.query<{ state: string }>(
    `select state from tributary.reconcile where table_name = 'case_report'`,
  );
  return rows[0]?.state ?? null;
}

async function visits(database: NodeDatabase): Promise<string[]> {
  const rows = await database.query<{ note: string }>(
    `select note from public.visit order by note`,
  );
  return rows.map(({ note: text }) => text);
}

/** So many heartbeats of the region later: time as the tree itself counts it. */
async function heartbeats(tree: Tree, count: number): Promise<void> {
  const { database } = tree.node('north');
  const lines = async (): Promise<number> =>
    (await database.query(`select from tributary.heartbeat_log`)).length;
  const before = await lines();
  await tree.until(async () => (await lines()) >= before + count, { what: 'heartbeats' });
}
