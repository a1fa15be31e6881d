/** The application's own upgrades after prepare: PostgreSQL refuses none of them because of what prepare made. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import pg from 'pg';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import { approvedStatus, asOwner, tableOf, topologyOf } from '../testing/publish-fixture.ts';
import { prepareNode } from './prepare.ts';

const tried = majors().filter((major) => major === 15 || major === newest());

/** What a version of the application brings along, typed as the owner of the tables. */
const upgrade = [
  'alter table public.case_report add column severity int not null default 0',
  'alter table public.case_report add column summary text',
  'alter table public.case_report drop column form',
  'alter table public.case_report alter column amounts type text using amounts::text',
  "alter table public.case_report alter column scan type text using encode(scan, 'hex')",
  'alter table public.case_report rename column facility_code to facility',
  'alter table public.case_report add constraint severe check (severity < 10)',
  'alter table public.case_report drop constraint severe',
  "alter table public.case_report alter column note set default 'none'",
  'create index case_report_note on public.case_report using hash (note)',
  'alter table public.facility alter column name type varchar(200)',
  'alter table public.facility add column short text',
  'alter table public.facility drop column short',
  'alter table public.visit add column length interval',
  'alter table public.visit alter column note type varchar(300)',
  'alter table public.visit drop column note',
  'create index visit_day on public.visit (day)',
  'alter table public.unrelated rename to other',
  'alter table public.other drop column body',
];

async function asApplication<T>(
  database: TestDatabase,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: database.url(roles.owner) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Enters a row with large values and approves it in a statement of its own. */
async function enter(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    'insert into public.case_report (note) values ($1) returning id',
    [randomBytes(10_000).toString('hex')],
  );
  await approve(client, rows[0]?.id ?? '');
}

async function approve(client: pg.Client, id: string): Promise<void> {
  const { rows } = await client.query(
    `update public.case_report set status = 'approved' where id = $1 returning note`,
    [id],
  );
  assert.equal((rows as { note: string }[])[0]?.note.length, 20_000);
}

for (const major of tried) {
  for (const node of ['district_a', 'north']) {
    void test(`the application's upgrade passes at ${node} after prepare, on PostgreSQL ${major}`, async () => {
      await using database = await TestDatabase.create(major);
      await asOwner(database);
      await database.query(
        `set role ${roles.owner}; create table public.unrelated (id int primary key, body text); reset role`,
      );
      const options = { topology: topologyOf(), node, adminUrl: database.url(roles.owner) };
      await prepareNode(options);
      await asApplication(database, async (application) => {
        await enter(application);
        const { rows } = await application.query<{ id: string }>(
          `insert into public.case_report (note, form, scan, amounts)
           values ($1, '{"a": 1}', '\\xff', '{1,2}') returning id`,
          [randomBytes(10_000).toString('hex')],
        );
        const refused: string[] = [];
        for (const statement of upgrade) {
          await application.query(statement).catch((error: unknown) => {
            refused.push(`${statement}: ${String(error)}`);
          });
        }
        assert.deepEqual(refused, []);
        // Before prepare is run again: in the session that ran the old triggers, and in a new one.
        await approve(application, rows[0]?.id ?? '');
        await enter(application);
        await asApplication(database, enter);
      });
      await prepareNode(options);
      assert.deepEqual((await prepareNode(options)).done, []);
      await asApplication(database, enter);
    });
  }

  void test(`columns of the filter or of a list change in one transaction without publication, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    const columns = ['id', 'status', 'note'];
    const options = {
      topology: topologyOf([tableOf('case_report', { approved: approvedStatus, columns })]),
      node: 'district_a',
      adminUrl: database.url(roles.owner),
    };
    await prepareNode(options);
    await asApplication(database, async (application) => {
      const changes = [
        'alter table public.case_report alter column status type varchar(20)',
        'alter table public.case_report alter column note type varchar(40000)',
      ];
      for (const change of changes) {
        await assert.rejects(application.query(change), { code: '0A000' }, change);
      }
      await application.query(`
        begin;
        alter publication tributary_up drop table public.case_report;
        drop trigger if exists zzz_tributary_carry on public.case_report;
        ${changes.join(';')};
        commit`);
    });
    await prepareNode(options);
    assert.deepEqual((await prepareNode(options)).done, []);
    await asApplication(database, enter);
  });
}
