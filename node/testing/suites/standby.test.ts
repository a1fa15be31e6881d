/** A child's server is gone, and its physical standby was promoted in its place: with a lag, and without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roles } from '../database.ts';
import { allRows, assertKept, enter, rowsAt } from '../kept-rows.ts';
import type { NodeDatabase } from '../node-database.ts';
import { Standby } from '../standby.ts';
import { streamStatus, untilMended } from '../stream-watch.ts';
import { chain, Tree } from '../tree.ts';
import { heard, rewound, untilComplete, untilListed } from '../way-back.ts';

const fromA = { subscriber: 'north', provider: 'district_a' };

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

void test('a standby promoted with a lag loses nothing above, and gets its lost rows back by return', async (t) => {
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('district_a');
  await enter(database, 'the day before', 300);
  await tree.waitLevel(180_000);
  await using standby = await Standby.of(database.cluster);
  await standby.cutOff();
  await work(database, 'the lost day');
  await tree.waitLevel(180_000);
  await heard(tree, fromA);
  const before = await allRows(tree, ['north', 'nation'], 'district_a');
  assert.equal(before.get('nation')?.size, 335);

  await database.cluster.kill();
  await standby.takeOver();
  await enter(database, 'after the promotion', 10);
  await database.query(
    `update public.case_report set note = 'changed after the promotion' where id in (
       select id from public.case_report where note = 'the day before' order by id limit 5)`,
  );
  await untilListed(tree, fromA, 'timeline_forked');
  // The removed ones stand at the promoted server: they are added, as what is new is.
  await tree.until(async () => (await rowsAt(tree, 'nation', 'district_a')).size === 350, {
    what: 'what is new arrives at the nation',
    ms: 120_000,
  });
  await assertKept(tree, 'district_a', before);
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
});

for (const end of ['stopped', 'killed'] as const) {
  void test(`a standby without a lag goes on, without a person, for a primary that was ${end}`, async (t) => {
    await using tree = await Tree.create({ parents: chain });
    const { database } = tree.node('district_a');
    await enter(database, 'the day before', 300);
    await tree.waitLevel(180_000);
    await using standby = await Standby.of(database.cluster);
    await work(database, 'the last day');
    await tree.waitLevel(180_000);
    await heard(tree, fromA);
    await standby.caughtUp();
    const before = await allRows(tree, ['north', 'nation'], 'district_a');
    assert.equal(before.get('nation')?.size, 335);

    await (end === 'stopped' ? database.cluster.stop() : database.cluster.kill());
    await standby.takeOver();
    await enter(database, 'after the promotion', 10);
    await untilMended(tree, fromA, 'slot_missing');
    await untilComplete(tree, fromA);
    await tree.waitLevel(180_000);
    await assertKept(tree, 'district_a', before);
    assert.equal((await rowsAt(tree, 'nation', 'district_a')).size, 345);
    await assertNothingListed(tree);
    const { doubtsMet } = await streamStatus(tree, fromA);
    const names = doubtsMet.map(({ name }) => name).sort();
    t.diagnostic(names.join(', '));
    // A killed primary may have sent a heartbeat to north that its standby never got.
    if (end === 'stopped') {
      assert.deepEqual(names, ['slot_missing']);
    }
    const [timeline] = await database.query<{ id: number }>(
      `select timeline_id::int as id from pg_control_checkpoint()`,
    );
    assert.equal(timeline?.id, 2, 'the promoted server answers');
  });
}
