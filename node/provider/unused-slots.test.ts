import assert from 'node:assert/strict';
import { test } from 'node:test';
import type pg from 'pg';
import { openPool } from '../database/connect.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { silent } from '../log.ts';
import { prepareNode } from '../publish/prepare.ts';
import { majors, roles, TestDatabase } from '../testing/database.ts';
import { asOwner, topologyOf } from '../testing/publish-fixture.ts';
import { UnusedSlots } from './unused-slots.ts';

interface Place extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly slots: UnusedSlots;
}

/** A prepared district of the parent north, watched as the writing role. `by`: who prepared it. */
async function place(major: number, by: 'superuser' | 'owner'): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await TestDatabase.create(major));
  await asOwner(database.admin);
  const adminUrl = by === 'superuser' ? database.url() : database.url(roles.owner);
  await prepareNode({ topology: topologyOf(), node: 'district_a', adminUrl });
  const pool: pg.Pool = openPool({
    url: database.url(roles.writer),
    applicationName: 'test',
    max: 2,
  });
  stack.defer(async () => await pool.end());
  const slots = new UnusedSlots({
    database: tributaryDatabase(pool),
    node: 'district_a',
    parent: () => 'north',
    log: silent,
  });
  const kept = stack.move();
  return {
    database,
    slots,
    [Symbol.asyncDispose]: async () => {
      await kept.disposeAsync();
    },
  };
}

/** Slots are of the whole cluster: the name of the database keeps tests apart. */
const nameOf = (database: TestDatabase, what: string): string =>
  `tributary_${what}_${database.name}`;

async function makeSlot(database: TestDatabase, slot: string): Promise<void> {
  await database.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
}

async function stands(database: TestDatabase, slot: string): Promise<boolean> {
  const { rowCount } = await database.query(
    'select from pg_replication_slots where slot_name = $1',
    [slot],
  );
  return rowCount === 1;
}

async function dayLater(database: TestDatabase): Promise<void> {
  await database.query(`update tributary.unused_slot set since = since - interval '25 hours'`);
}

for (const major of majors()) {
  void test(`a slot the file does not name is dropped after a day unused, and audited, on ${major}`, async () => {
    await using here = await place(major, 'superuser');
    const { database, slots } = here;
    const slot = nameOf(database, 'old');
    await makeSlot(database, slot);
    await slots.look();
    assert.deepEqual(
      slots.findings().map(({ code, object, severity }) => ({ code, object, severity })),
      [{ code: 'slot_unused', object: slot, severity: 'warning' }],
    );
    await slots.look();
    assert.equal(await stands(database, slot), true);
    await dayLater(database);
    await slots.look();
    assert.equal(await stands(database, slot), false);
    assert.deepEqual(slots.findings(), []);
    const { rows } = await database.query(
      'select node, actor, action, subject from tributary.audit',
    );
    const deed = { node: 'district_a', actor: 'tributary', action: 'drop_slot', subject: slot };
    assert.deepEqual(rows, [deed]);
    await slots.look();
    assert.equal((await database.query('select from tributary.unused_slot')).rowCount, 0);
  });
}

void test('the slot of the parent, one that is read, and those of others stay', async () => {
  await using here = await place(majors()[0] ?? 18, 'superuser');
  const { database, slots } = here;
  const others = `other_${database.name}`;
  await makeSlot(database, others);
  const known = new UnusedSlots({
    database: tributaryDatabase(database.admin),
    node: 'district_a',
    parent: () => `north_${database.name}`,
    log: silent,
  });
  const parents = nameOf(database, 'north');
  await makeSlot(database, parents);
  await known.look();
  assert.deepEqual(known.findings(), []);

  // For another file it is unused, but the clock begins anew once it was known or read in between.
  await slots.look();
  await dayLater(database);
  await known.look();
  await slots.look();
  assert.equal(slots.findings().length, 1);
  assert.equal(await stands(database, parents), true);
  assert.equal(await stands(database, others), true);
});

void test('where no superuser has given the right, the slot is named with what a person types', async () => {
  await using here = await place(majors().at(-1) ?? 18, 'owner');
  const { database, slots } = here;
  const slot = nameOf(database, 'old');
  await makeSlot(database, slot);
  await slots.look();
  await dayLater(database);
  await slots.look();
  const [finding] = slots.findings();
  assert.match(finding?.problem ?? '', /could not be dropped \(SQLSTATE 42501\)/);
  assert.match(finding?.advice ?? '', new RegExp(`pg_drop_replication_slot\\('${slot}'\\)`));
  assert.equal((await database.query('select from tributary.audit')).rowCount, 0);
});
