import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors, TestDatabase } from './database.ts';

for (const major of majors()) {
  void test(`a database of its own on PostgreSQL ${major}, with logical decoding`, async () => {
    await using database = await TestDatabase.create(major);
    const { rows } = await database.query(
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('wal_level') as wal_level`,
    );
    assert.deepEqual(rows, [{ major, wal_level: 'logical' }]);
  });
}
