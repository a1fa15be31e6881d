import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogueSnapshot } from '../testing/catalogue-snapshot.ts';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import {
  approvedStatus,
  asOwner,
  standardTables,
  tableOf,
  topologyOf,
} from '../testing/publish-fixture.ts';
import { prepareNode } from './prepare.ts';
import { undoNode } from './undo.ts';

for (const major of majors()) {
  for (const node of ['north', 'district_a']) {
    void test(`undo leaves of ${node} the catalogue as it was before, on PostgreSQL ${major}`, async () => {
      await using database = await TestDatabase.create(major);
      await asOwner(database);
      await database.query(`
        set role ${roles.owner};
        alter table public.visit_2025 replica identity full;
        create unique index facility_name on public.facility (name);
        alter table public.facility replica identity using index facility_name;
        grant select on public.facility to ${roles.writer};
        create sequence public.numbers;
        alter table public.facility add column number int default nextval('public.numbers')`);
      const before = await catalogueSnapshot(database);
      const options = { topology: topologyOf(), node, adminUrl: database.url(roles.owner) };
      await prepareNode(options);
      assert.notDeepEqual(await catalogueSnapshot(database), before);
      await undoNode(options);
      assert.deepEqual(await catalogueSnapshot(database), before);
      assert.deepEqual((await undoNode(options)).done, []);
    });
  }
}

void test('undo drops the slot of the parent, where the login may', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const before = await catalogueSnapshot(database);
  const options = { topology: topologyOf(), node: 'north', adminUrl: database.url() };
  await prepareNode(options);
  const slot = `tributary_${database.name}`;
  await database.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const owner = { ...options, adminUrl: database.url(roles.owner) };
  const plain = await undoNode(owner).catch((error: unknown) => error);
  assert.ok(plain instanceof Error, 'what a superuser made, an owner can not take away');
  await undoNode(options);
  assert.deepEqual(await catalogueSnapshot(database), before);
});

void test('undo keeps the column that names the origin while rows of other nodes stand there', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { topology: topologyOf(), node: 'north', adminUrl: database.url(roles.owner) };
  await prepareNode(options);
  await database.query(
    `insert into public.facility (code, name, tributary_origin) values ('a', 'x', 'district_a')`,
  );
  const { findings } = await undoNode(options);
  assert.deepEqual(
    findings.map(({ code, object }) => [code, object]),
    [['origin_column_kept', 'public.facility']],
  );
  const columns = (await catalogueSnapshot(database)).filter((line) =>
    line.includes('tributary_origin'),
  );
  assert.deepEqual(columns, ["column public facility tributary_origin text t 'north'::text"]);
});

void test('a table taken out of the topology gets back what it had, the others keep what they have', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { node: 'district_a', adminUrl: database.url(roles.owner) };
  await prepareNode({ ...options, topology: topologyOf() });
  const less = topologyOf(standardTables.filter((table) => table.name !== 'visit'));
  await prepareNode({ ...options, topology: less });
  const lines = await catalogueSnapshot(database);
  assert.deepEqual(
    lines.filter((line) => line.includes('visit') && line.includes('tributary')),
    [],
  );
  assert.ok(lines.some((line) => line.includes('tributary_identity_case_report')));
  await prepareNode({
    ...options,
    topology: topologyOf([tableOf('visit', { key: ['id', 'day'], approved: approvedStatus })]),
  });
  const again = await catalogueSnapshot(database);
  assert.deepEqual(
    again.filter((line) => line.includes('tributary_identity_case_report')),
    [],
  );
  assert.ok(again.some((line) => line.includes('tributary_identity_visit_2025')));
});
