/** A child's server is gone, and its physical standby was promoted in its place: with a lag, and without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newest, roles } from '../database.ts';
import { allRows, assertKept, assertUntouched, enter, rowsAt, versionsOf } from '../kept-rows.ts';
import type { NodeDatabase } from '../node-database.ts';
import { promote, Standby, type StandbyOptions } from '../standby.ts';
import { streamStatus, untilMended, untilStreaming } from '../stream-watch.ts';
import { chain, Tree } from '../tree.ts';
import { heard, rewound, untilComplete, untilListed } from '../way-back.ts';

const above = ['north', 'nation'] as const;
const fromA = { subscriber: 'north', provider: 'district_a' };

const keepingSlots = {
  skip: newest() < 17 && `PostgreSQL ${newest()} keeps no copies of slots at a standby`,
};

async function withYesterday(): Promise<Tree> {
  const tree = await Tree.create({ parents: chain });
  try {
    await enter(tree.node('district_a').database, 'the day before', 300);
    await tree.waitLevel(180_000);
    return tree;
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

/** A day on which 30 reports of the day before are changed, 5 others removed, and 40 new. */
async function work(database: NodeDatabase, day: string): Promise<void> {
  await enter(database, day, 40);
  await database.query(
    `update public.case_report set note = 'changed on ' || $1 where id in (
       select id from public.case_report where note = 'the day before' order by id limit 30)`,
    [day],
  );
  await database.query(
    `delete from public.case_report where id in (
       select id from public.case_report where note = 'the day before' order by id desc limit 5)`,
  );
}

async function assertNothingListed(tree: Tree): Promise<void> {
  assert.match(await rewound(tree, 'north', 'list', '--stream', 'district_a'), /no key/);
}

/** Promoted without what the primary wrote at last, which has travelled. */
async function lags(
  t: { diagnostic(text: string): void },
  { slotsOf }: StandbyOptions,
): Promise<void> {
  await using tree = await withYesterday();
  const { database } = tree.node('district_a');
  await using standby = await Standby.of(database.cluster, slotsOf ? { slotsOf } : {});
  if (slotsOf) {
    await standby.keepsSlot('tributary_north');
  }
  await standby.cutOff();
  await work(database, 'the lost day');
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  const before = await allRows(tree, above, 'district_a');
  assert.equal(before.get('nation')?.size, 335);
  const versions = await versionsOf(tree, above, 'district_a');

  await database.cluster.kill();
  await standby.takeOver();
  await enter(database, 'after the promotion', 10);
  await database.query(
    `update public.case_report set note = 'changed after the promotion' where id in (
       select id from public.case_report where note = 'the day before' order by id limit 5)`,
  );
  await untilListed(tree, fromA, 'witness_missing');
  const { doubtsMet } = await streamStatus(tree, fromA);
  assert.ok(doubtsMet.some(({ name }) => name === 'timeline_forked'));
  // The removed ones stand at the promoted server: they are added, as what is new is.
  await tree.until(async () => (await rowsAt(tree, 'nation', 'district_a')).size === 350, {
    what: 'what is new arrives at the nation',
    ms: 120_000,
  });
  await assertUntouched(tree, 'district_a', versions);
  const said = await rewound(tree, 'north', 'list', '--stream', 'district_a');
  assert.match(said, /public\.case_report: 40 only here, 30 different here/);

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
  await assertNothingListed(tree);
}

void test('a standby promoted with a lag loses nothing above, and gets its lost rows back by return', async (t) => {
  await lags(t, {});
});

void test(
  'a standby promoted with a lag and with copies of the slots is recognised all the same',
  keepingSlots,
  async (t) => {
    await lags(t, { slotsOf: 'records' });
  },
);

/** Rows arrive that the promoted server was given, and all is as before without a person. */
async function goesOn(tree: Tree): Promise<void> {
  const { database } = tree.node('district_a');
  const [timeline] = await database.query<{ id: string }>(
    `select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as id`,
  );
  assert.equal(timeline?.id, '00000002', 'the promoted server answers');
  await tree.waitLevel(180_000);
  assert.equal((await rowsAt(tree, 'nation', 'district_a')).size, 345);
  await assertNothingListed(tree);
}

for (const end of ['stopped', 'killed'] as const) {
  void test(`a standby without a lag goes on, without a person, for a primary that was ${end}`, async (t) => {
    await using tree = await withYesterday();
    const { database } = tree.node('district_a');
    await using standby = await Standby.of(database.cluster);
    await work(database, 'the last day');
    await tree.waitLevel(180_000);
    await heard(tree, fromA);
    await standby.caughtUp();
    const before = await versionsOf(tree, above, 'district_a');
    assert.equal(before.get('nation')?.size, 335);

    await (end === 'stopped' ? database.cluster.stop() : database.cluster.kill());
    await standby.takeOver();
    await enter(database, 'after the promotion', 10);
    await untilMended(tree, fromA, 'slot_missing');
    await untilComplete(tree, fromA);
    await goesOn(tree);
    await assertUntouched(tree, 'district_a', before);
    const { doubtsMet } = await streamStatus(tree, fromA);
    const names = doubtsMet.map(({ name }) => name).sort();
    t.diagnostic(names.join(', '));
    // A killed primary may have sent a heartbeat to north that its standby never got.
    if (end === 'stopped') {
      assert.deepEqual(names, ['slot_missing']);
    }
  });
}

void test('a standby with copies of the slots goes on without a doubt', keepingSlots, async () => {
  await using tree = await withYesterday();
  const { database } = tree.node('district_a');
  await using standby = await Standby.of(database.cluster, { slotsOf: 'records' });
  await standby.keepsSlot('tributary_north');
  await work(database, 'the last day');
  await tree.waitLevel(180_000);
  const before = await versionsOf(tree, above, 'district_a');
  await database.cluster.stop();
  await standby.takeOver();
  await enter(database, 'after the promotion', 10);
  await goesOn(tree);
  await untilStreaming(tree, fromA);
  assert.deepEqual((await streamStatus(tree, fromA)).doubtsMet, []);
  await assertUntouched(tree, 'district_a', before);
});

void test('a standby that is promoted only after the parent has found it goes on without a person', async () => {
  await using tree = await withYesterday();
  const { database } = tree.node('district_a');
  await using standby = await Standby.of(database.cluster);
  await work(database, 'the last day');
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  const before = await versionsOf(tree, above, 'district_a');
  await database.cluster.stop();
  await standby.standIn();
  // From PostgreSQL 16 on the slot that is being made waits for the promotion.
  const found = newest() < 16 ? '"code":"provider_standby"' : 'slot_missing';
  for (const [node, text] of [
    ['north', found],
    ['district_a', '"code":"database_read_only"'],
  ] as const) {
    await tree.until(() => tree.process(node).log.includes(text), {
      what: `${node} has come to it: ${text}`,
      ms: 60_000,
    });
  }
  await assertUntouched(tree, 'district_a', before);
  await promote(database.cluster);
  await enter(database, 'after the promotion', 10);
  await goesOn(tree);
  await assertUntouched(tree, 'district_a', before);
});
