/** What the role that the parent logs in with can learn by plain SQL: names of tables, never a row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import { approvedStatus, asOwner, tableOf, topologyOf } from '../testing/publish-fixture.ts';
import { prepareNode } from './prepare.ts';

const tables = [
  tableOf('case_report', { approved: approvedStatus, columns: ['id', 'status', 'note'] }),
  tableOf('facility', { key: ['code'] }),
  tableOf('visit', { key: ['id', 'day'], approved: approvedStatus }),
];
const topology = topologyOf(tables);
const asking = 'select t.name from tributary.tables_with_rows() t (name)';

async function ask(database: TestDatabase, role: string, sql: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: database.url(role) });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(sql);
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

for (const major of majors().filter((one) => one === 15 || one === newest())) {
  void test(`the reader learns which tables hold approved rows, and reads none, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    await prepareNode({ topology, node: 'north', adminUrl: database.url(roles.owner) });
    await database.query(`
      insert into public.case_report (status, note) values ('draft', 'secret');
      insert into public.visit (id, day, status) values (gen_random_uuid(), '2026-05-01', 'approved')`);
    assert.deepEqual(await ask(database, roles.reader, asking), ['public.visit']);
    await database.query(`update public.case_report set status = 'approved'`);
    assert.deepEqual(await ask(database, roles.reader, asking), [
      'public.case_report',
      'public.visit',
    ]);
    const relations = await database.query(`
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'tributary') and c.relkind in ('r', 'p', 'v')
      order by 1`);
    const readable: string[] = [];
    for (const { name } of relations.rows as { name: string }[]) {
      await ask(database, roles.reader, `select 1 as name from ${name}`).then(
        () => readable.push(name),
        (error: unknown) => {
          assert.equal((error as { code?: string }).code, '42501', name);
        },
      );
    }
    assert.deepEqual(readable, [
      'tributary.heartbeat_log',
      'tributary.node',
      'tributary.unused_slot',
    ]);
    await assert.rejects(ask(database, roles.writer, asking), { code: '42501' });
    const clerk = new pg.Client({ connectionString: database.url(roles.owner) });
    await clerk.connect();
    try {
      await clerk.query(`insert into public.case_report (note) values ('a draft in a statement')`);
      const statements = await ask(
        database,
        roles.reader,
        'select a.query as name from pg_stat_activity a',
      );
      assert.ok(!JSON.stringify(statements).includes('a draft in'));
    } finally {
      await clerk.end();
    }
  });

  void test(`tables are looked at under the caller's snapshot, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    await prepareNode({ topology, node: 'district_a', adminUrl: database.url(roles.owner) });
    const exporting = await database.admin.connect();
    try {
      await exporting.query('begin isolation level repeatable read');
      const { rows } = await exporting.query('select pg_export_snapshot() as name');
      const snapshot = (rows as { name: string }[])[0]?.name ?? '';
      await database.query(`insert into public.facility values ('a', 'x')`);
      const reader = new pg.Client({ connectionString: database.url(roles.reader) });
      await reader.connect();
      try {
        await reader.query('begin isolation level repeatable read read only');
        await reader.query(`set transaction snapshot '${snapshot}'`);
        assert.deepEqual((await reader.query(asking)).rows, []);
        await reader.query('commit');
        assert.deepEqual((await reader.query(asking)).rows, [{ name: 'public.facility' }]);
      } finally {
        await reader.end();
      }
    } finally {
      await exporting.query('rollback');
      exporting.release();
    }
  });
}

void test("prepared by a superuser, tables are looked at with their owner's rights only", async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { topology, node: 'district_a', adminUrl: database.url() };
  await prepareNode(options);
  assert.deepEqual((await prepareNode(options)).done, []);
  await database.query(`
    create function public.who(text) returns boolean language plpgsql immutable as $$
    begin
      if current_user <> '${roles.owner}' then raise 'run as %', current_user; end if;
      return true;
    end $$;
    set role ${roles.owner};
    create index trap on public.case_report (id) where public.who('x');
    insert into public.case_report (status) values ('approved');
    reset role`);
  assert.deepEqual(await ask(database, roles.reader, asking), ['public.case_report']);
  const { rows } = await database.query(`
    select
      p.proname as name,
      case p.proowner when current_user::regrole then 'superuser' else p.proowner::regrole::text end as owner
    from pg_proc p
    where p.pronamespace = 'tributary'::regnamespace and p.prosecdef and p.proowner <> '${roles.owner}'::regrole
    order by p.proname`);
  // These look at no table of the application.
  assert.deepEqual(rows, [
    { name: 'drop_unused_slot', owner: roles.reader },
    { name: 'level_since', owner: 'superuser' },
  ]);
});

void test('a table that its filter fails on, or that is closed even to its owner, counts as one with rows', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  await prepareNode({ topology, node: 'district_a', adminUrl: database.url(roles.owner) });
  await database.query(`
    set role ${roles.owner};
    alter table public.facility enable row level security, force row level security;
    create table public.risky (id int primary key);
    insert into public.risky values (0);
    alter publication tributary_up add table public.risky where (10 / id > 1);
    reset role`);
  assert.deepEqual(await ask(database, roles.reader, asking), ['public.facility', 'public.risky']);
});
