/** Each case damages one thing, looks for the finding by name, follows the advice where it is SQL, and looks again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { ReplicatedTable, Topology } from '../config/model.ts';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import {
  approvedStatus,
  asOwner,
  nodeOf,
  secretOf,
  tableOf,
  topologyOf,
} from '../testing/publish-fixture.ts';
import { checkNode } from './check.ts';
import { checkRelease } from './check-server.ts';
import type { Finding } from './finding.ts';
import { prepareNode } from './prepare.ts';

type Tables = readonly ReplicatedTable[];

/** nation <- north <- district_a, where north is the database and the child is another, or nobody. */
function topologyAt(database: TestDatabase, tables?: Tables, child?: string): Topology {
  return topologyOf(tables, [
    nodeOf('nation', 'nation', null),
    nodeOf('north', 'region', 'nation', { url: database.url(roles.writer) }),
    nodeOf('district_a', 'district', 'north', {
      url: database.url(roles.writer),
      provider: secretOf(child ?? 'postgres://x:x@127.0.0.1:1/none'),
    }),
  ]);
}

function rootAt(url: string): Topology {
  return topologyOf([tableOf('report')], [nodeOf('nation', 'nation', null, { url })]);
}

async function codesAt(topology: Topology, node: string): Promise<readonly string[]> {
  return (await checkNode({ topology, node })).map(
    (finding) => `${finding.code} ${finding.object}`,
  );
}

async function find(topology: Topology, node: string, code: string): Promise<Finding | undefined> {
  return (await checkNode({ topology, node })).find((finding) => finding.code === code);
}

for (const major of majors()) {
  void test(`a prepared leaf has nothing that needs a person, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    const topology = topologyAt(database);
    assert.ok((await codesAt(topology, 'district_a')).includes('not_prepared district_a'));
    await prepareNode({ topology, node: 'district_a', adminUrl: database.url() });
    const findings = await checkNode({ topology, node: 'district_a' });
    assert.deepEqual(
      findings.filter((finding) => finding.severity === 'error'),
      [],
    );
  });
}

/** One statement a query, as psql sends them: some may not run in a transaction block. */
async function asPlainOwner(database: TestDatabase, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url(roles.owner) });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const report = tableOf('report', { approved: approvedStatus });

interface Case {
  readonly code: string;
  readonly object?: string;
  readonly sql: string;
  readonly tables?: Tables;
  readonly node?: 'north' | 'district_a';
  /** The advice is SQL for the tables' owner; following it mends. */
  readonly cured?: true;
}

const plainReport = `create table public.report (id uuid primary key, status text not null, note text);`;

const cases: readonly Case[] = [
  { code: 'table_missing', sql: '' },
  { code: 'table_without_key', sql: 'create table public.report (status text not null)' },
  {
    code: 'key_not_uuid',
    sql: 'create table public.report (id int primary key, status text not null)',
  },
  {
    code: 'key_not_unique',
    sql: 'create table public.report (code text not null, status text not null)',
    tables: [tableOf('report', { key: ['code'], approved: approvedStatus })],
    cured: true,
  },
  {
    code: 'key_column_nullable',
    sql: 'create table public.report (code text unique, status text not null)',
    tables: [tableOf('report', { key: ['code'], approved: approvedStatus })],
    cured: true,
  },
  {
    code: 'key_serial',
    sql: 'create table public.report (id serial primary key, status text not null)',
    tables: [tableOf('report', { key: ['id'], approved: approvedStatus })],
  },
  {
    code: 'filter_column_missing',
    sql: 'create table public.report (id uuid primary key)',
  },
  {
    code: 'filter_column_enum',
    sql: `create type public.state as enum ('draft', 'approved');
      create table public.report (id uuid primary key, status public.state not null)`,
  },
  {
    code: 'filter_column_generated',
    sql: `create table public.report (id uuid primary key, s text, status text not null generated always as (coalesce(s, '')) stored)`,
  },
  {
    code: 'filter_column_nullable',
    sql: 'create table public.report (id uuid primary key, status text)',
  },
  {
    code: 'filter_column_nullable',
    sql: 'create table public.report (id uuid primary key, status text)',
    tables: [tableOf('report', { approved: approvedStatus, columns: ['id', 'status'] })],
  },
  {
    code: 'identity_full_with_columns',
    sql: plainReport,
    tables: [
      tableOf('report', { approved: approvedStatus, identity: 'full', columns: ['id', 'status'] }),
    ],
  },
  {
    code: 'identity_full_with_generated',
    sql: `create table public.report (id uuid primary key, status text not null, n int generated always as (1) stored)`,
    tables: [tableOf('report', { approved: approvedStatus, identity: 'full' })],
  },
  { code: 'identity_full', sql: plainReport, tables: [{ ...report, identity: 'full' }] },
  {
    code: 'column_missing',
    sql: plainReport,
    tables: [{ ...report, columns: ['id', 'status', 'absent'] }],
  },
  { code: 'table_not_logged', sql: plainReport.replace('table', 'unlogged table'), cured: true },
  {
    code: 'flag_missing',
    node: 'north',
    sql: plainReport,
    tables: [{ ...report, deletes: { rule: 'soft', column: 'gone' } }],
  },
  {
    code: 'reference_out_of_set',
    sql: `create table public.place (id uuid primary key); ${plainReport} alter table public.report add place uuid references public.place`,
  },
  {
    code: 'reference_by_serial',
    sql: `create table public.place (id serial primary key); ${plainReport} alter table public.report add place int references public.place`,
  },
  {
    code: 'reference_out_of_filter',
    object: 'public.child',
    sql: `${plainReport} create table public.child (id uuid primary key, report uuid references public.report)`,
    tables: [report, tableOf('child')],
  },
  {
    code: 'cascade_does_not_run',
    object: 'public.child',
    node: 'north',
    sql: `${plainReport} create table public.child (id uuid primary key, report uuid references public.report on delete cascade)`,
  },
  {
    code: 'deferrable_unique',
    sql: `${plainReport} alter table public.report add unique (note) deferrable`,
  },
  {
    code: 'key_not_unique',
    sql: `create table public.report (id uuid primary key deferrable, status text not null default 'draft', note text);`,
  },
  {
    code: 'row_security',
    sql: `${plainReport} alter table public.report enable row level security`,
  },
  {
    code: 'trigger_does_not_fire',
    node: 'north',
    sql: `${plainReport}
      create function public.nothing() returns trigger language plpgsql as 'begin return new; end';
      create trigger notify before insert on public.report for each row execute function public.nothing()`,
  },
  {
    code: 'origin_column_nullable',
    node: 'north',
    sql: `${plainReport} alter table public.report add district text`,
    tables: [{ ...report, origin: 'district' }],
    cured: true,
  },
  { code: 'column_to_be_added', node: 'north', sql: plainReport },
  { code: 'child_unreachable', object: 'district_a', node: 'north', sql: plainReport },
];

for (const one of cases) {
  void test(`check names ${one.code}: ${one.sql.slice(0, 60).replaceAll(/\s+/g, ' ')}`, async () => {
    await using database = await TestDatabase.create(newest());
    await database.query(`set role ${roles.owner}; ${one.sql}; reset role`);
    const topology = topologyAt(database, one.tables ?? [report]);
    const node = one.node ?? 'district_a';
    const finding = await find(topology, node, one.code);
    assert.equal(
      finding?.object,
      one.object ?? (finding?.code === 'not_prepared' ? '' : 'public.report'),
    );
    assert.ok(finding.problem.length > 10 && finding.advice.length > 5);
    if (one.cured) {
      await asPlainOwner(database, finding.advice);
      assert.equal(await find(topology, node, one.code), undefined);
    }
    const errors = (await checkNode({ topology, node })).filter(
      ({ severity, code }) =>
        severity === 'error' && !['not_prepared', 'child_unreachable', 'key_serial'].includes(code),
    );
    const prepared = prepareNode({ topology, node, adminUrl: database.url(roles.owner) });
    if (errors.length > 0) {
      await assert.rejects(prepared, { code: 'prepare_refused' });
    } else {
      await prepared;
    }
  });
}

void test('check names a filter column too wide for the identity index where it may look', async () => {
  await using database = await TestDatabase.create(newest());
  await database.query(`set role ${roles.owner}; ${plainReport}; reset role`);
  const topology = topologyAt(database, [report]);
  await prepareNode({ topology, node: 'north', adminUrl: database.url() });
  await database.query(
    `insert into public.report (id, status) values (gen_random_uuid(), repeat('x', 600))`,
  );
  assert.ok(await find(topology, 'north', 'filter_column_wide'));
});

void test('check names rows that stand at a parent under its own name before the first child streams', async () => {
  await using database = await TestDatabase.create(newest());
  await database.query(`set role ${roles.owner}; ${plainReport}; reset role`);
  const topology = topologyAt(database, [report]);
  await database.query(
    `insert into public.report (id, status) values (gen_random_uuid(), 'draft')`,
  );
  await prepareNode({ topology, node: 'north', adminUrl: database.url() });
  assert.ok(await find(topology, 'north', 'own_rows'));
});

void test('check compares the tables with those of a child, and each advice mends', async () => {
  await using parent = await TestDatabase.create(newest());
  await using child = await TestDatabase.create(majors()[0] ?? newest());
  const shared = `set role ${roles.owner}; create table public.report (id uuid primary key, status text not null, note varchar(20), extra int); reset role`;
  await child.query(shared);
  await parent.query(
    `set role ${roles.owner}; create table public.report (id uuid primary key, status text not null, note varchar(10), local int not null); reset role`,
  );
  const topology = topologyAt(parent, [report], child.url(roles.reader));
  await prepareNode({ topology, node: 'north', adminUrl: parent.url() });
  assert.ok(await find(topology, 'north', 'child_not_prepared'));
  await prepareNode({ topology, node: 'district_a', adminUrl: child.url() });
  for (const code of ['column_set_aside', 'column_length_differs', 'column_not_sent']) {
    const finding = await find(topology, 'north', code);
    assert.ok(finding, code);
    await parent.query(finding.advice.replace(' or give it a default.', ''));
    assert.equal(await find(topology, 'north', code), undefined);
  }
  await prepareNode({ topology, node: 'north', adminUrl: parent.url() });
  const left = await checkNode({ topology, node: 'north' });
  assert.deepEqual(
    left.filter((finding) => finding.severity === 'error' || finding.object === 'public.report'),
    [],
  );
});

void test('check names a child whose database refuses the login, or is another node', async () => {
  await using parent = await TestDatabase.create(newest());
  await parent.query(`set role ${roles.owner}; ${plainReport}; reset role`);
  const wrong = parent.url(roles.reader).replace(`:${roles.reader}@`, ':wrong@');
  assert.ok(await find(topologyAt(parent, [report], wrong), 'north', 'child_refused'));
  const own = topologyAt(parent, [report], parent.url(roles.reader));
  await prepareNode({ topology: own, node: 'north', adminUrl: parent.url() });
  assert.ok(await find(own, 'north', 'child_name_differs'));
  const plain = topologyAt(parent, [report], parent.url(roles.writer));
  assert.ok(await find(plain, 'north', 'child_refuses_stream'));
});

void test('check can not work without its own database, and says which end is wrong', async () => {
  await using database = await TestDatabase.create(newest());
  const refused = rootAt(database.url(roles.writer).replace(`:${roles.writer}@`, ':wrong@'));
  await assert.rejects(checkNode({ topology: refused, node: 'nation' }), {
    code: 'database_refused',
  });
  const closed = rootAt(database.url(roles.writer, 1));
  await assert.rejects(checkNode({ topology: closed, node: 'nation' }), {
    code: 'database_unreachable',
  });
});

void test('releases that can lose changes in decoding are named', () => {
  assert.deepEqual(
    [140_000, 150_013, 150_014, 160_009, 160_010, 170_005, 170_006, 180_000].map(
      (version) => checkRelease(version)[0]?.code,
    ),
    [
      'release_too_old',
      'release_with_faults',
      undefined,
      'release_with_faults',
      undefined,
      'release_with_faults',
      undefined,
      undefined,
    ],
  );
});
