import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { majors, newest, roles, TestDatabase } from '../testing/database.ts';
import { migrate, migrations, schemaState, stateOf } from './migrate.ts';

async function clientOf(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      await client.end();
    },
  });
}

for (const major of majors()) {
  void test(`an owner brings an empty database to this version, once, on PostgreSQL ${major}`, async () => {
    await using database = await TestDatabase.create(major);
    await using client = await clientOf(database.url(roles.owner));
    assert.equal(await schemaState(client), 'missing');
    const all = (await migrations()).map((migration) => migration.number);
    assert.deepEqual(await migrate(client), all);
    assert.deepEqual(await migrate(client), []);
    assert.equal(await schemaState(client), 'current');
  });
}

void test('ten migrators at once apply each migration once and none fails', async () => {
  await using database = await TestDatabase.create(newest());
  const runs = await Promise.all(
    Array.from({ length: 10 }, async () => {
      await using client = await clientOf(database.url(roles.owner));
      return await migrate(client);
    }),
  );
  assert.deepEqual(
    runs.flat().sort((a, b) => a - b),
    (await migrations()).map((migration) => migration.number),
  );
});

void test('a role that may not see the schema is told that it is missing', async () => {
  await using database = await TestDatabase.create(newest());
  await using owner = await clientOf(database.url(roles.owner));
  await migrate(owner);
  await using writer = await clientOf(database.url(roles.writer));
  assert.equal(await schemaState(writer), 'missing');
});

void test('a newer schema is told apart by whether old code may go on', () => {
  const known = [{ number: 1 }, { number: 2 }];
  const one = { number: 1, breaking: false };
  const two = { number: 2, breaking: true };
  assert.equal(stateOf(known, []), 'missing');
  assert.equal(stateOf(known, [one]), 'older');
  assert.equal(stateOf(known, [one, two]), 'current');
  assert.equal(stateOf(known, [one, two, { number: 3, breaking: false }]), 'newer');
  assert.equal(
    stateOf(known, [one, two, { number: 3, breaking: true }, { number: 4, breaking: false }]),
    'breaking_newer',
  );
});
