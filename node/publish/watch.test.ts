import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { type Log, silent } from '../log.ts';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import { asOwner, topologyOf } from '../testing/publish-fixture.ts';
import { until } from '../testing/until.ts';
import { prepareNode } from './prepare.ts';
import { publicationHealth, PublicationWatch } from './watch.ts';

interface Writer extends AsyncDisposable {
  readonly pool: pg.Pool;
}

function writerOf(database: TestDatabase): Writer {
  const pool = new pg.Pool({ connectionString: database.url(roles.writer), max: 2 });
  pool.on('error', () => {});
  return {
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
    },
  };
}

/** What an upgrade tool or a person does, what the watch calls it, and of which object. */
const damages = [
  ['drop index public.tributary_identity_case_report_%', 'identity_lost', 'public.case_report'],
  ['alter table public.visit_2026 replica identity default', 'identity_lost', 'public.visit_2026'],
  [
    `set role ${roles.owner}; create table public.visit_2027 partition of public.visit for values from ('2027-01-01') to ('2028-01-01'); reset role`,
    'identity_lost',
    'public.visit_2027',
  ],
  ['drop publication tributary_up', 'publication_missing', 'tributary_up'],
  [
    'alter publication tributary_up drop table public.facility',
    'publication_changed',
    'publication tributary_up',
  ],
  [
    `alter publication tributary_up set (publish = 'insert')`,
    'publication_changed',
    'publication tributary_up',
  ],
  [
    'drop trigger zzz_tributary_carry on public.case_report',
    'carry_missing',
    'trigger zzz_tributary_carry on public.case_report',
  ],
  [
    'alter table public.case_report disable trigger zzz_tributary_carry',
    'carry_missing',
    'trigger zzz_tributary_carry on public.case_report',
  ],
  [
    `revoke execute on function tributary.tables_with_rows() from ${roles.reader}`,
    'right_missing',
    `right of "${roles.reader}": execute on function tributary.tables_with_rows()`,
  ],
  [
    'drop trigger tributary_guard_delete on public.facility',
    'guard_missing',
    'trigger tributary_guard_delete on public.facility',
  ],
  [
    'alter table public.facility alter column tributary_origin drop default',
    'guard_missing',
    'column tributary_origin of public.facility',
  ],
  [
    `revoke delete on public.facility from ${roles.writer}`,
    'right_missing',
    `right of "${roles.writer}": delete on table "public"."facility"`,
  ],
] as const;

for (const major of majors().filter((one) => one === 15 || one === newest())) {
  void test(`the plain writing role notices each damage and its end, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    const topology = topologyOf();
    const options = { topology, node: 'north', adminUrl: database.url(roles.owner) };
    await prepareNode(options);
    await using writer = writerOf(database);
    assert.deepEqual(await publicationHealth(writer.pool, topology, 'north'), []);
    for (const [damage, code, object] of damages) {
      await database.query(await spelt(database, damage));
      const found = await publicationHealth(writer.pool, topology, 'north');
      assert.ok(
        found.some((finding) => finding.code === code && finding.object === object),
        `${damage}: ${JSON.stringify(found)}`,
      );
      await prepareNode(options);
      assert.deepEqual(await publicationHealth(writer.pool, topology, 'north'), [], damage);
    }
  });

  void test(`a lost identity stops the application, and the statement told mends it, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await asOwner(database);
    const topology = topologyOf();
    await prepareNode({ topology, node: 'district_a', adminUrl: database.url(roles.owner) });
    await database.query(`
      insert into public.case_report default values;
      insert into public.visit (id, day) values (gen_random_uuid(), '2026-01-01')`);
    await database.query(
      await spelt(database, 'drop index public.tributary_identity_case_report_%'),
    );
    await database.query('alter table public.visit_2026 replica identity default');
    const updates = [
      `update public.case_report set note = 'x'`,
      `update public.visit set note = 'x'`,
    ];
    for (const update of updates) {
      await assert.rejects(database.query(update), { code: '42P10' });
    }
    await using writer = writerOf(database);
    const lost = await publicationHealth(writer.pool, topology, 'district_a');
    assert.deepEqual(
      lost.map(({ code, object }) => [code, object]),
      [
        ['identity_lost', 'public.case_report'],
        ['identity_lost', 'public.visit_2026'],
      ],
    );
    for (const finding of lost) {
      await database.query(finding.advice);
    }
    for (const update of updates) {
      await database.query(update);
    }
    assert.deepEqual(await publicationHealth(writer.pool, topology, 'district_a'), []);
  });
}

/** `drop index public.name_%` with the one name that fits. */
async function spelt(database: TestDatabase, statement: string): Promise<string> {
  const pattern = /public\.(\S+%)/.exec(statement)?.[1];
  if (pattern === undefined) {
    return statement;
  }
  const { rows } = await database.query(`select relname from pg_class where relname like $1`, [
    pattern,
  ]);
  return statement.replace(pattern, (rows[0] as { relname: string }).relname);
}

void test('the watch tells a lost identity at every look, and says when it is mended', async () => {
  await using database = await TestDatabase.create(newest());
  await asOwner(database);
  const topology = topologyOf();
  await prepareNode({ topology, node: 'district_a', adminUrl: database.url(roles.owner) });
  await using writer = writerOf(database);
  const lines: string[] = [];
  const note =
    (level: string): Log['info'] =>
    (fields) => {
      lines.push(`${level} ${String(fields['code'])}`);
    };
  const log: Log = { ...silent, error: note('error'), warn: note('warn'), info: note('info') };
  const quiet = { node: 'district_a', log: silent, everyMs: 20 };
  const watch = new PublicationWatch({
    pool: writer.pool,
    topology: () => topology,
    node: 'district_a',
    log,
    everyMs: 20,
  });
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await database.query('alter table public.case_report replica identity default');
  await database.query(`
    alter publication tributary_up drop table public.visit;
    alter table public.visit_2026 replica identity default`);
  await until(() => lines.filter((line) => line === 'error identity_lost').length >= 3, {
    what: 'the alarm is repeated',
  });
  await until(() => watch.findings().length === 3, { what: 'all findings' });
  const other = new AbortController();
  const another = new PublicationWatch({ pool: writer.pool, topology: () => topology, ...quiet });
  const looking = another.run(other.signal);
  await until(() => another.findings().length === 3, { what: 'another process finds them too' });
  other.abort();
  await looking;
  assert.deepEqual(another.findings(), [], 'one that serves no more tells of nothing');
  await prepareNode({ topology, node: 'district_a', adminUrl: database.url(roles.owner) });
  await until(() => watch.findings().length === 0, { what: 'mended' });
  stop.abort();
  await running;
  assert.equal(lines.filter((line) => line === 'warn identity_missing').length, 1);
  assert.ok(lines.includes('info identity_lost'));
});
