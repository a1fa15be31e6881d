import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { Topology } from '../config/model.ts';
import { newest, roles, TestDatabase } from '../testing/database.ts';
import { asOwner, nodeOf, tableOf, topologyOf } from '../testing/publish-fixture.ts';
import { checkCommand } from './check.ts';
import { prepareCommand } from './prepare.ts';

function topologyAt(database: TestDatabase, tables?: Parameters<typeof topologyOf>[0]): Topology {
  return topologyOf(tables, [
    nodeOf('nation', 'nation', null),
    nodeOf('north', 'region', 'nation', {
      url: database.url(roles.writer),
      outage: { logBytes: 8 * 2 ** 30 },
    }),
    nodeOf('district_a', 'district', 'north', { url: database.url(roles.writer) }),
  ]);
}

interface Said {
  readonly code: number;
  readonly text: string;
}

async function said(command: (out: (line: string) => void) => Promise<number>): Promise<Said> {
  const lines: string[] = [];
  const code = await command((line) => lines.push(line));
  return { code, text: lines.join('\n') };
}

const base = { plan: false, admin: null, undo: false } as const;

void test('the plan says of each statement who may run it and what it costs, and run by hand it leaves nothing to do', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const args = { ...base, topology: topologyAt(database), node: 'north' };
  const plan = await said((out) => prepareCommand({ ...args, plan: true }, out));
  assert.equal(plan.code, 0, plan.text);
  const statements = plan.text.split('\n').filter((line) => line.startsWith('-- by: '));
  assert.ok(statements.length > 10);
  assert.ok(statements.every((line) => /^-- by: (superuser|owner); costs: .+; .+/.test(line)));
  assert.match(
    plan.text,
    /--  +host  t_\w+  tributary_reader  ADDRESS_OF_NATION\/32  scram-sha-256/,
  );
  assert.match(plan.text, /alter system set max_slot_wal_keep_size = '8192MB'/);
  const [, script = ''] = plan.text.split('-- Script 2');
  await byHand(database, script);
  const again = await said((out) =>
    prepareCommand({ ...args, admin: database.url(roles.owner) }, out),
  );
  assert.equal(again.code, 0);
  assert.match(again.text, /nothing to do/);
});

/** As psql: every statement by itself, since an index is not built concurrently inside a transaction. */
async function byHand(database: TestDatabase, script: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url(roles.owner) });
  await client.connect();
  try {
    for (const part of script.slice(script.indexOf('\n')).split(/^-- .*$/m)) {
      await client.query(part);
    }
  } finally {
    await client.end();
  }
}

void test('prepare tells what it did, and undo takes it away', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const topology = topologyAt(database);
  const args = { ...base, topology, node: 'north', admin: database.url(roles.owner) };
  const first = await said((out) => prepareCommand(args, out));
  assert.equal(first.code, 0);
  assert.match(first.text, /^done {5}create publication tributary_up/m);
  assert.match(first.text, /prepared(, but for what is left)?$/);
  const undone = await said((out) => prepareCommand({ ...args, undo: true }, out));
  assert.equal(undone.code, 0);
  assert.match(undone.text, /taken away$/);
});

void test('what stands in the way is listed whole, with exit code 3 and nothing done', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const tables = [tableOf('absent'), tableOf('facility')];
  const args = { ...base, topology: topologyAt(database, tables), node: 'north' };
  const refused = await said((out) => prepareCommand({ ...args, admin: database.url() }, out));
  assert.equal(refused.code, 3);
  assert.match(refused.text, /public\.absent +the table does not exist here/);
  assert.match(refused.text, /public\.facility +the primary key \(code\) is not one uuid column/);
  const { rows } = await database.query(`select 1 from pg_namespace where nspname = 'tributary'`);
  assert.deepEqual(rows, []);
});

void test('the plain role of the running node is told that prepare needs an owner', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const args = { ...base, topology: topologyAt(database), node: 'north' };
  const refused = await said((out) => prepareCommand(args, out));
  assert.equal(refused.code, 3);
  assert.match(refused.text, /tributary_writer does not own the table; application_owner does/);
});

void test('an address nobody listens on, a wrong password and a database of another node have codes 1, 3 and 3', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const topology = topologyAt(database);
  const args = { ...base, topology, node: 'north' };
  const run = async (admin: string, node = 'north'): Promise<Said> =>
    await said((out) => prepareCommand({ ...args, node, admin }, out));
  assert.equal((await run(database.url(roles.owner, 1))).code, 1);
  const wrong = await run(database.url(roles.owner).replace(`:${roles.owner}@`, ':secret@'));
  assert.equal(wrong.code, 3);
  assert.doesNotMatch(wrong.text, /secret@/);
  assert.equal((await run(database.url(roles.owner))).code, 0);
  const other = await run(database.url(roles.owner), 'nation');
  assert.equal(other.code, 3);
  assert.match(other.text, /found: north/);
});

void test('check prints findings as lines or as JSON, and its exit code tells whether a person is needed', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const args = { topology: topologyAt(database), node: 'district_a', json: false };
  const before = await said((out) => checkCommand(args, out));
  assert.equal(before.code, 3);
  assert.match(before.text, /^error {4}district_a +the database is not prepared/m);
  const prepare = { ...base, ...args, admin: database.url() };
  assert.equal((await said((out) => prepareCommand(prepare, out))).code, 0);
  const after = await said((out) => checkCommand({ ...args, json: true }, out));
  assert.equal(after.code, 0);
  const findings = JSON.parse(after.text) as { severity: string; advice: string }[];
  assert.ok(findings.every((finding) => finding.severity !== 'error' && finding.advice !== ''));
});
