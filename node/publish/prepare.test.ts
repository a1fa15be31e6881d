import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors, roles, TestDatabase } from '../testing/database.ts';
import { asOwner, topologyOf } from '../testing/publish-fixture.ts';
import { prepareNode } from './prepare.ts';
import { sqlOf } from './statement.ts';

const admins = { superuser: undefined, 'the plain owner of the tables': roles.owner };

for (const major of majors()) {
  for (const [who, role] of Object.entries(admins)) {
    for (const node of ['nation', 'north', 'district_a']) {
      void test(`${who} prepares ${node} on PostgreSQL ${major}, and a second run finds nothing to do`, async () => {
        await using database = await TestDatabase.create(major);
        await asOwner(database);
        const options = { topology: topologyOf(), node, adminUrl: database.url(role) };
        const first = await prepareNode(options);
        assert.ok(first.done.length > 0);
        const second = await prepareNode(options);
        assert.deepEqual(second.done.map(sqlOf), []);
      });
    }
  }
}

void test('a database that does not exist is refused by its server, not a server that does not answer', async () => {
  await using database = await TestDatabase.create();
  const adminUrl = database.url().replace(database.name, 'nowhere');
  const preparing = prepareNode({ topology: topologyOf(), node: 'north', adminUrl });
  await assert.rejects(preparing, { code: 'database_refused' });
});
