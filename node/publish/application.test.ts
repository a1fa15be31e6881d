/** What the application feels of prepare: its statements go on, its values travel, foreign rows are guarded. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import pg from 'pg';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import {
  approvedStatus,
  asOwner,
  standardTables,
  tableOf,
  topologyOf,
} from '../testing/publish-fixture.ts';
import { prepareNode } from './prepare.ts';

type Session = pg.Client & AsyncDisposable;

async function connect(url: string, settings = ''): Promise<Session> {
  const client = new pg.Client({ connectionString: url, options: settings });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      await client.end();
    },
  });
}

const someDay = '2026-05-01';

for (const major of majors()) {
  void test(`the application inserts, approves, edits, withdraws, deletes and truncates after prepare, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    for (const node of ['district_a']) {
      await prepareNode({ topology: topologyOf(), node, adminUrl: database.url(roles.owner) });
    }
    await using application = await connect(database.url(roles.owner));
    for (const status of ['approved', 'draft', 'approved']) {
      await application.query(`
        insert into public.case_report (status) values ('draft');
        update public.case_report set status = '${status}', note = 'x';
        insert into public.visit (id, day) values (gen_random_uuid(), '${someDay}'), (gen_random_uuid(), '2025-05-01');
        update public.visit set status = '${status}';
        update public.visit set day = day + 365 where day < '2026-01-01';
        update public.visit set note = 'y'`);
    }
    await application.query(`
      delete from public.case_report;
      delete from public.visit;
      truncate public.visit, public.case_report, public.facility`);
  });

  void test(`a guard names the right node, and apply passes it, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    await prepareNode({
      topology: topologyOf(),
      node: 'north',
      adminUrl: database.url(roles.owner),
    });
    await using writer = await connect(
      database.url(roles.writer),
      '-c session_replication_role=replica',
    );
    await writer.query(`
      insert into public.facility (code, name, tributary_origin) values ('f', 'x', 'district_a');
      insert into public.visit (id, day, tributary_origin) values (gen_random_uuid(), '${someDay}', 'district_a')`);
    await using application = await connect(database.url(roles.owner));
    await application.query(`insert into public.facility (code, name) values ('own', 'x')`);
    await application.query(
      `insert into public.visit (id, day) values (gen_random_uuid(), '${someDay}')`,
    );
    const refused = { code: '23001', message: /entered at district_a/ };
    for (const statement of [
      `update public.facility set name = 'y'`,
      `delete from public.facility`,
      `truncate public.facility cascade`,
      `update public.visit set note = 'y'`,
      `delete from public.visit`,
      `truncate public.visit`,
      `truncate public.visit_2026`,
    ]) {
      await assert.rejects(application.query(statement), refused, statement);
    }
    await assert.rejects(
      application.query(`update public.facility set tributary_origin = 'south' where code = 'own'`),
      { code: '23001' },
    );
    await application.query(`
      update public.facility set name = 'y' where code = 'own';
      update public.visit set note = 'y' where tributary_origin = 'north';
      delete from public.facility where code = 'own';
      truncate public.visit_2025`);
    await writer.query(`
      update public.facility set name = 'z';
      update public.visit set note = 'z';
      delete from public.facility;
      delete from public.visit`);
  });

  void test(`an approval carries the out-of-line values it does not touch, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    await prepareNode({
      topology: topologyOf(),
      node: 'district_a',
      adminUrl: database.url(roles.owner),
    });
    const text = randomBytes(10_000).toString('hex');
    const other = randomBytes(10_000).toString('hex');
    const scan = randomBytes(20_000);
    const amounts = Array.from({ length: 3000 }, (_, i) => `${i}.${randomBytes(4).readUInt32BE()}`);
    await database.query(
      `insert into public.case_report (note, form, scan, amounts) values ($1, jsonb_build_object('a', $2::text), $3, $4::numeric[])`,
      [text, other, scan, amounts],
    );
    const image = `select note, form, scan, amounts, pg_column_size(amounts) as size from public.case_report`;
    const before = await database.query(image);
    const slot = `tributary_${database.name}`;
    await database.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    await database.query(`update public.case_report set status = 'approved'`);
    const sent = await sentBytes(database, slot);
    for (const value of [text, other, scan.toString('hex'), amounts.join(',')]) {
      assert.ok(sent.includes(value), 'the value is in the stream');
    }
    const after = await database.query(image);
    assert.deepEqual(after.rows, before.rows);
  });
}

void test('a value of a domain over text or varchar travels with an approval that does not touch it', async () => {
  await using database = await TestDatabase.create(newest());
  await database.query(`
    set role ${roles.owner};
    create domain public.story as text;
    create domain public.long_story as varchar(30000);
    create domain public.tale as public.story;
    create table public.diary (
      id uuid primary key default gen_random_uuid(), status text not null default 'draft',
      a public.story, b public.long_story, c public.tale);
    reset role`);
  await prepareNode({
    topology: topologyOf([tableOf('diary', { approved: approvedStatus })]),
    node: 'district_a',
    adminUrl: database.url(roles.owner),
  });
  const values = Array.from({ length: 3 }, () => randomBytes(10_000).toString('hex'));
  await database.query(`insert into public.diary (a, b, c) values ($1, $2, $3)`, values);
  const slot = `tributary_${database.name}`;
  await database.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await database.query(`update public.diary set status = 'approved'`);
  const sent = await sentBytes(database, slot);
  assert.deepEqual(
    values.map((value) => sent.includes(value)),
    [true, true, true],
  );
});

async function sentBytes(database: TestDatabase, slot: string): Promise<Buffer> {
  const { rows } = await database.query(
    `select data from pg_logical_slot_get_binary_changes('${slot}', null, null, 'proto_version', '1', 'publication_names', 'tributary_up')`,
  );
  return Buffer.concat((rows as { data: Buffer }[]).map((row) => row.data));
}

void test('the carry trigger keeps every value exactly, whatever the settings of the session', async () => {
  await using database = await TestDatabase.create(newest());
  await database.query(`
    set role ${roles.owner};
    create type public.pair as (a text, b timestamptz);
    create domain public.word as text check (value <> '');
    create table public.odd (
      id uuid primary key default gen_random_uuid(),
      status text not null default 'draft',
      floats float8[], spans interval[], times timestamptz[], "Big ""pair" public.pair, pairs public.pair[],
      word public.word, blank char(20), limited varchar(30)[], x xml, money money[], bits bit varying, tsv tsvector,
      ranges tstzmultirange
    )`);
  await prepareNode({
    topology: topologyOf([tableOf('odd', { approved: approvedStatus })]),
    node: 'district_a',
    adminUrl: database.url(roles.owner),
  });
  await using application = await connect(
    database.url(roles.owner),
    '-c datestyle=German -c intervalstyle=sql_standard -c timezone=Asia/Kathmandu -c extra_float_digits=-5 -c bytea_output=escape -c search_path=pg_temp',
  );
  await application.query(`
    insert into public.odd values (
      default, default, array[0.1, 1e300, 'nan', '-0', 1.0/3]::float8[], array['1 mon -2 days 03:04:05.000001', '-1 year']::interval[],
      array['2026-02-03 04:05:06.789012+00', 'infinity', '0044-03-15 BC']::timestamptz[], row('a"b,', '2026-01-01 00:00+00'),
      array[row(null, now()), row('', null)]::public.pair[], 'w', 'b  ', array['x ', null]::varchar(30)[], '<a>1</a>',
      array['1.23', '-4']::money[], b'10101', 'fat:2 cat:3A'::tsvector, '{[2026-01-01 00:00+00,2026-01-02 00:00+00)}'
    )`);
  const image = `select encode(record_send(o), 'hex') as image from (
    select floats, spans, times, "Big ""pair", pairs, word, blank, limited, x, money, bits, tsv, ranges from public.odd
  ) o`;
  const before = await application.query(image);
  await application.query(`update public.odd set status = 'approved'`);
  const after = await application.query(image);
  assert.deepEqual(after.rows, before.rows);
});

void test('a lock that is not given while a value is carried is the failure of the statement, not a value left behind', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const topology = topologyOf();
  await prepareNode({ node: 'district_a', adminUrl: database.url(), topology });
  await database.query(`insert into public.case_report (note) values ($1)`, [
    randomBytes(10_000).toString('hex'),
  ]);
  const { rows } = await database.query(
    `select x.indexrelid::regclass::text as name from pg_index x join pg_class c on c.reltoastrelid = x.indrelid
     where c.oid = 'public.case_report'::regclass`,
  );
  const [index] = rows as { name: string }[];
  const approve = `update public.case_report set status = 'approved' where status = 'draft'`;
  await using application = await connect(database.url(roles.owner), '-c lock_timeout=200');
  await using other = await connect(database.url(), '');
  await other.query(`begin; reindex index ${index?.name}`);
  await assert.rejects(application.query(approve), { code: '55P03' });
  await other.query('rollback');
  assert.equal((await application.query(approve)).rowCount, 1);
});

void test("an application's COPY once the origin column is there: with a column list as before, without one it fails and says so", async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { topology: topologyOf(), node: 'north', adminUrl: database.url() };
  const columns = await database.query(
    `select string_agg(quote_ident(attname), ', ' order by attnum) as list, count(*)::int as count
     from pg_attribute where attrelid = 'public.facility'::regclass and attnum > 0 and not attisdropped`,
  );
  const [{ list, count }] = columns.rows as [{ list: string; count: number }];
  const line = (code: string): string => [code, ...Array<string>(count - 1).fill('1')].join('\\t');
  const copy = (target: string, code: string): string =>
    `copy public.facility ${target} from program 'printf "${line(code)}\\n"'`;
  await database.query(copy('', 'before'));
  await prepareNode(options);
  await database.query(copy(`(${list})`, 'listed'));
  await assert.rejects(database.query(copy('', 'bare')), { code: '22P04' });
  const { rows } = await database.query(
    `select array_agg(distinct tributary_origin) as origins, count(*)::int as count from public.facility`,
  );
  assert.deepEqual(rows, [{ origins: ['north'], count: 2 }]);
});

void test('a changed filter never makes a statement of the application fail', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  await database.query(
    'alter table public.case_report add column valid boolean not null default true',
  );
  const options = { node: 'district_a', adminUrl: database.url() };
  const byValid = {
    sql: 'valid',
    columns: ['valid'],
    expression: { kind: 'column', column: 'valid' },
  } as const;
  await prepareNode({ ...options, topology: topologyOf() });
  await using application = await connect(database.url(roles.owner));
  const writing = new AbortController();
  let statements = 0;
  const load = (async () => {
    while (!writing.signal.aborted) {
      await application.query(`
        insert into public.case_report (note) values ('x');
        update public.case_report set status = 'approved' where status = 'draft';
        delete from public.case_report`);
      statements += 1;
    }
  })();
  const columns = ['id', 'status', 'note'];
  const changes = [
    tableOf('case_report', { approved: byValid }),
    tableOf('case_report', { approved: approvedStatus, columns }),
    tableOf('case_report', { approved: byValid, identity: 'full' }),
    tableOf('case_report', { approved: null, columns }),
    tableOf('case_report', { approved: approvedStatus }),
  ];
  try {
    for (const change of changes) {
      const topology = topologyOf([change]);
      await prepareNode({ ...options, topology });
      const second = await prepareNode({ ...options, topology });
      assert.deepEqual(second.done, []);
    }
  } finally {
    writing.abort();
    await load;
  }
  assert.ok(statements > changes.length);
});

void test('the publication is created once, and every change of it is announced in the stream', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const options = { node: 'district_a', adminUrl: database.url(roles.owner) };
  await prepareNode({ ...options, topology: topologyOf(standardTables.slice(0, 1)) });
  const identity = `select p.oid, n.publication_nonce from pg_publication p, tributary.node n`;
  const before = await database.query(identity);
  const slot = `tributary_${database.name}`;
  await database.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await prepareNode({ ...options, topology: topologyOf() });
  assert.deepEqual((await database.query(identity)).rows, before.rows);
  const { rows } = await database.query(
    `select data from pg_logical_slot_get_binary_changes('${slot}', null, null, 'proto_version', '1', 'publication_names', 'tributary_up', 'messages', 'true')`,
  );
  const messages = (rows as { data: Buffer }[]).filter((row) => row.data[0] === 'M'.charCodeAt(0));
  assert.equal(messages.length, 1);
  assert.ok(messages[0]?.data.includes('tributary\0'));
});
