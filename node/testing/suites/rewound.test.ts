/**
 * A child that went back in time, or is another database: not one row is removed or overwritten anywhere, until a person
 * gives what may be the last copy back to the child, or takes the child's version.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationSql } from '../application.ts';
import { backUp, restore } from '../backup.ts';
import { roles } from '../database.ts';
import { allRows, assertKept, enter, rowsAt } from '../kept-rows.ts';
import { NodeDatabase } from '../node-database.ts';
import { streamStatus } from '../stream-watch.ts';
import { chain, Tree } from '../tree.ts';
import { heard, rewound, sameHeartbeat, untilComplete, untilListed } from '../way-back.ts';

const fromA = { subscriber: 'north', provider: 'district_a' };
const fromNorth = { subscriber: 'nation', provider: 'north' };

void test("a child restored from yesterday's backup loses nothing, and gets its lost day back by return", async (t) => {
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('district_a');
  await enter(database, 'the day before', 300);
  await tree.waitLevel(180_000);
  await using backup = await backUp(database.cluster);
  await enter(database, 'the lost day', 40);
  await database.query(
    `update public.case_report set note = 'changed on the lost day' where id in (
       select id from public.case_report where note = 'the day before' order by id limit 30)`,
  );
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  const before = await allRows(tree, ['north', 'nation'], 'district_a');

  await restore(database.cluster, backup);
  // Work goes on at once: new rows, and rows changed and removed whose newer version is elsewhere only.
  await enter(database, 'after the restoring', 10);
  await database.query(
    `update public.case_report set note = 'changed again' where id in (
       select id from public.case_report where note = 'the day before' order by id limit 5)`,
  );
  await database.query(
    `delete from public.case_report where id in (
       select id from public.case_report where note = 'the day before' order by id limit 3)`,
  );
  await untilListed(tree, fromA, 'witness_missing');
  await tree.until(async () => (await rowsAt(tree, 'nation', 'district_a')).size === 350, {
    what: 'what is new arrives at the nation',
    ms: 120_000,
  });
  await assertKept(tree, 'district_a', before);
  const said = await rewound(tree, 'north', 'list', '--stream', 'district_a');
  const [, only, different] =
    /public\.case_report: (\d+) only here, (\d+) different here/.exec(said) ?? [];
  assert.equal(Number(only) + Number(different), 70, said);
  // What the stream brings of these keys changes nothing here.
  await database.query(
    `update public.case_report set note = 'still worked on' where note = 'changed again'`,
  );
  await enter(database, 'last', 1);
  await tree.until(async () => (await rowsAt(tree, 'nation', 'district_a')).size === 351, {
    what: 'the row behind the changes arrives',
  });
  await assertKept(tree, 'district_a', before);

  const admin = database.url(roles.owner);
  t.diagnostic(await rewound(tree, 'north', 'return', '--stream', 'district_a', '--admin', admin));
  await tree.waitLevel(300_000);
  const [day] = await database.query<{ lost: number; changed: number }>(
    `select count(*) filter (where note = 'the lost day')::int as lost,
       count(*) filter (where note = 'changed on the lost day')::int as changed
     from public.case_report`,
  );
  assert.deepEqual(day, { lost: 40, changed: 30 });
  await assertKept(tree, 'district_a', before);
  assert.match(await rewound(tree, 'north', 'list', '--stream', 'district_a'), /no key/);
});

void test('a server created anew and empty under the same name takes nothing away, until release', async () => {
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('district_a');
  await enter(database, 'all there was', 60);
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  const before = await allRows(tree, ['north', 'nation'], 'district_a');
  {
    await using empty = await NodeDatabase.create({
      major: database.cluster.major,
      ownIdentity: true,
    });
    const owner = await empty.client(roles.owner);
    await owner.query(applicationSql);
    await owner.end();
    await empty.letGo();
    await empty.cluster.stop();
    await restore(database.cluster, empty.cluster);
  }
  await tree.prepare(['district_a']);
  tree.process('district_a').signal('SIGHUP');
  tree.process('north').signal('SIGHUP');
  await untilListed(tree, fromA, 'system_identifier_differs');
  await enter(database, 'new', 2);
  await tree.until(async () => (await rowsAt(tree, 'nation', 'district_a')).size === 62, {
    what: 'what is new arrives at the nation',
    ms: 120_000,
  });
  await assertKept(tree, 'district_a', before);
  const status = await tree.command('north', ['status']);
  assert.match(status.stdout, /60 parked \(rewound\)/);

  await rewound(tree, 'north', 'release', '--stream', 'district_a');
  await tree.waitLevel(300_000);
  assert.equal((await rowsAt(tree, 'nation', 'district_a')).size, 2);
});

void test('a restored region is brought up by its districts while the nation waits, and gets its own day back', async () => {
  await using tree = await Tree.create({ parents: chain });
  const north = tree.node('north').database;
  const leaf = tree.node('district_a').database;
  await enter(north, 'the day before', 50);
  await enter(leaf, 'the day before', 200);
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  await using backup = await backUp(north.cluster);
  await enter(north, 'the lost day', 20);
  await enter(leaf, 'the lost day', 70);
  await tree.waitLevel(180_000);
  await heard(tree, fromNorth);
  const own = await allRows(tree, ['nation'], 'north');
  const district = await allRows(tree, ['nation'], 'district_a');

  tree.link('district_a').refuse();
  await restore(north.cluster, backup);
  await tree.until(
    async () => (await streamStatus(tree, fromNorth)).problem?.code === 'provider_not_level',
    { what: 'the nation waits', ms: 60_000 },
  );
  await assertKept(tree, 'north', own);
  await assertKept(tree, 'district_a', district);
  tree.link('district_a').heal();
  await untilListed(tree, fromNorth, 'witness_missing');
  await assertKept(tree, 'north', own);
  await assertKept(tree, 'district_a', district);
  const said = await rewound(
    tree,
    'nation',
    'list',
    '--stream',
    'north',
    '--table',
    'public.case_report',
  );
  assert.match(said, /20 only here, 0 different here/);

  await rewound(tree, 'nation', 'return', '--stream', 'north', '--admin', north.url(roles.owner));
  await tree.waitLevel(300_000);
  assert.equal((await rowsAt(tree, 'north', 'north')).size, 70);
});

/**
 * The slot is part of what shows that a child went back in time. A region that died when it had made the new one, and had
 * noted nothing, came back to a child whose log had meanwhile passed its position and that knew the last heartbeat
 * applied: nothing but a strange slot was to be seen, that was mended, and the lost rows were removed.
 */
for (const point of ['slot-dropped', 'slot-remade'] as const) {
  void test(`a region that dies at the new slot still knows that its child went back in time: ${point}`, async () => {
    await using tree = await Tree.create({
      parents: { north: null, district_a: 'north' },
      crashing: true,
    });
    const { database } = tree.node('district_a');
    await enter(database, 'the day before', 100);
    await tree.waitLevel(180_000);
    await heard(tree, fromA);
    // From here on no heartbeat tells of what is lost.
    await tree.stop('district_a');
    await sameHeartbeat(tree, fromA);
    await using backup = await backUp(database.cluster);
    await enter(database, 'the lost rows', 200);
    await tree.waitLevel(180_000);
    const before = await allRows(tree, ['north'], 'district_a');
    await tree.crash('north').arm(point);
    await restore(database.cluster, backup);
    await tree.until(() => !tree.process('north').running, { what: 'north dies', ms: 60_000 });
    await enter(database, 'after the restoring', 400);
    tree.start('north');
    await tree.until(async () => (await rowsAt(tree, 'north', 'district_a')).size >= 700, {
      what: 'what is new arrives',
      ms: 120_000,
    });
    await untilComplete(tree, fromA);
    await assertKept(tree, 'district_a', before);

    const admin = database.url(roles.owner);
    await rewound(tree, 'north', 'return', '--stream', 'district_a', '--admin', admin);
    await tree.waitLevel(300_000);
    assert.equal((await rowsAt(tree, 'north', 'district_a')).size, 700);
  });
}

void test('an address that has come to mean an empty database is refused, and nothing is touched', async () => {
  await using tree = await Tree.create({ parents: { north: null, district_a: 'north' } });
  await enter(tree.node('district_a').database, 'a day', 20);
  await tree.waitLevel(180_000);
  const before = await allRows(tree, ['north'], 'district_a');
  await using empty = await NodeDatabase.create({
    major: tree.node('district_a').database.cluster.major,
  });
  tree.link('district_a').redirect(empty.cluster.port);
  await tree.until(
    async () => (await streamStatus(tree, fromA)).problem?.code === 'provider_not_prepared',
    { what: 'north refuses it', ms: 60_000 },
  );
  assert.deepEqual(await allRows(tree, ['north'], 'district_a'), before);
  assert.deepEqual((await streamStatus(tree, fromA)).doubtsMet, []);
});

/** `return` wrote every column that both sides have: those that never left the child were empty here, and then there. */
void test('what a child keeps for itself stays as it is there when a row is given back', async () => {
  const yaml = `tables:
  - table: public.facility
    key: [code]
    deletes: {soft: struck}
    at: {district: {columns: [code, name]}}
`;
  const sql = `${applicationSql}
    alter table public.facility add column struck boolean not null default false;`;
  await using tree = await Tree.create({
    parents: { north: null, district_a: 'north' },
    application: { sql, yaml, tables: [{ name: 'facility', approved: null, key: 'code' }] },
  });
  const leaf = tree.node('district_a').database;
  const north = tree.node('north').database;
  await leaf.query(
    `insert into public.facility (code, name, beds, struck) values ('a', 'of the lost day', 42, true)`,
  );
  await tree.until(async () => (await north.query(`select from public.facility`)).length === 1, {
    what: 'the row is here',
  });
  await tree.stop('north');
  await leaf.query(`update public.facility set name = 'of the backup'`);
  await north.query(
    `insert into tributary.parked (provider, schema_name, table_name, key, reason, only_here, retry_at)
     values ('district_a', 'public', 'facility', '["a"]', 'rewound', false, '9999-12-31')`,
  );
  tree.start('north');
  await tree.streaming();
  const admin = leaf.url(roles.owner);
  await rewound(tree, 'north', 'return', '--stream', 'district_a', '--admin', admin);
  const there = await leaf.query(`select name, beds, struck from public.facility`);
  assert.deepEqual(there, [{ name: 'of the lost day', beds: 42, struck: true }]);
});
