import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { silent, type Log } from '../log.ts';
import { newest, roles, TestDatabase } from '../testing/database.ts';
import { asOwner, topologyOf } from '../testing/publish-fixture.ts';
import { until } from '../testing/until.ts';
import { prepareNode } from './prepare.ts';
import { sqlOf } from './statement.ts';

/** The application gives up a lock after twice our timeout: one that fails has waited longer than it may. */
const ours = 400;
const applications = 2 * ours;

const holders = {
  'a long read': 'select 1',
  'a long transaction that wrote': `insert into public.facility (code, name) values ('long', 'x'); insert into public.case_report default values; insert into public.visit (id, day) values (gen_random_uuid(), '2026-01-01')`,
};

for (const [what, work] of Object.entries(holders)) {
  for (const node of ['north', 'district_a']) {
    void test(`while ${what} holds every table, prepare of ${node} keeps no statement of the application waiting`, async () => {
      await using database = await TestDatabase.create(newest());
      await asOwner(database);
      const options = { topology: topologyOf(), node, adminUrl: database.url(roles.owner) };
      const [holder, application] = [database.url(roles.owner), database.url(roles.owner)].map(
        (connectionString) => new pg.Client({ connectionString }),
      );
      assert.ok(holder && application);
      await Promise.all([holder.connect(), application.connect()]);
      await holder.query(
        `begin; select count(*) from public.facility; select count(*) from public.case_report; select count(*) from public.visit; ${work}`,
      );
      const retries = countingLog();
      const prepared = prepareNode({ ...options, lockTimeoutMs: ours, log: retries.log });
      let waiting = true;
      const load = writeWhile(application, () => waiting);
      const held = until(() => retries.count() >= 2 || indexWaits(database), {
        what: 'prepare meets the locks',
        ms: 20_000,
      });
      await held;
      await until(async () => (await statementsOf(application)) > 10, { what: 'the load runs' });
      await holder.query('rollback');
      const { done } = await prepared;
      waiting = false;
      const { statements, slowestMs } = await load;
      await Promise.all([holder.end(), application.end()]);
      assert.ok(
        done.some((one) => one.cost === 'lock'),
        done.map(sqlOf).join('\n'),
      );
      assert.ok(statements > 10, `${statements} statements, the slowest ${slowestMs} ms`);
    });
  }
}

const counts = new WeakMap<pg.Client, number>();

async function statementsOf(client: pg.Client): Promise<number> {
  return await Promise.resolve(counts.get(client) ?? 0);
}

/** @throws 55P03 when a statement waited for a lock longer than it may. */
async function writeWhile(
  client: pg.Client,
  goesOn: () => boolean,
): Promise<{ statements: number; slowestMs: number }> {
  await client.query(`set lock_timeout = ${applications}`);
  let statements = 0;
  let slowestMs = 0;
  while (goesOn()) {
    for (const statement of [
      `insert into public.facility (code, name) values ('k', 'x') on conflict (code) do update set name = 'y'`,
      `insert into public.case_report (note) values ('x')`,
      `update public.visit set note = 'x'`,
      `delete from public.case_report where note = 'x'`,
    ]) {
      const start = performance.now();
      await client.query(statement);
      slowestMs = Math.max(slowestMs, performance.now() - start);
      statements += 1;
      counts.set(client, statements);
    }
  }
  return { statements, slowestMs };
}

async function indexWaits(database: TestDatabase): Promise<boolean> {
  const { rows } = await database.query(
    `select 1 from pg_stat_activity where datname = '${database.name}' and query like 'create unique index%' and wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}

function countingLog(): { readonly log: Log; readonly count: () => number } {
  let lines = 0;
  const log: Log = {
    ...silent,
    info: () => {
      lines += 1;
    },
  };
  return { log, count: () => lines };
}

void test('a lock that is never given ends prepare with its name, what was done stays, and a later run ends it', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { topology: topologyOf(), node: 'north', adminUrl: database.url(roles.owner) };
  const holder = new pg.Client({ connectionString: database.url(roles.owner) });
  await holder.connect();
  await holder.query('begin; select count(*) from public.case_report');
  await assert.rejects(prepareNode({ ...options, lockTimeoutMs: 100, patienceMs: 500 }), {
    code: 'prepare_blocked',
  });
  await holder.query('rollback');
  await holder.end();
  assert.ok((await prepareNode(options)).done.length > 0);
  assert.deepEqual((await prepareNode(options)).done, []);
});

void test('an index whose building was cut off is dropped and built again', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = {
    topology: topologyOf(),
    node: 'district_a',
    adminUrl: database.url(roles.owner),
  };
  await prepareNode(options);
  await database.query(`
    drop publication tributary_up;
    alter table public.case_report replica identity default;
    update pg_index set indisvalid = false where indexrelid = (
      select oid from pg_class where relname like 'tributary_identity_case_report%'
    )`);
  const { done } = await prepareNode(options);
  const sql = done.map(sqlOf).join('\n');
  assert.match(
    sql,
    /drop index concurrently if exists public\.|drop index concurrently if exists "public"/,
  );
  assert.match(sql, /create unique index concurrently "tributary_identity_case_report/);
  assert.deepEqual((await prepareNode(options)).done, []);
});
