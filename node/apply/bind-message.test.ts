import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { TestDatabase } from '../testing/database.ts';
import { bindWithoutCopies } from './bind-message.ts';

const value = fc.oneof(
  fc.uint8Array({ maxLength: 40_000 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'grapheme', maxLength: 40_000 }).map((text) => text.replaceAll('\0', '')),
);

void test('PostgreSQL receives every parameter as it was, whatever its size, in named and unnamed statements', async () => {
  await using database = await TestDatabase.create();
  const client = new pg.Client({ connectionString: database.url(), pipeline: true });
  bindWithoutCopies(client);
  await client.connect();
  try {
    await fc.assert(
      fc.asyncProperty(value, value, fc.boolean(), async (first, second, named) => {
        const types = [first, second].map((each) => (typeof each === 'string' ? 'text' : 'bytea'));
        const [one, other] = types;
        const text = `select md5($1::${one}) as one, md5($2::${other}) as other, 'é' as mark`;
        const query = { text, values: [first, second] };
        const sent = [0, 1].map(
          async () => await client.query(named ? { ...query, name: types.join() } : query),
        );
        const { rows: expected } = await client.query(
          `select md5(decode($1, 'hex')) as one, md5(decode($2, 'hex')) as other, 'é' as mark`,
          [first, second].map((each) => Buffer.from(each).toString('hex')),
        );
        for (const { rows } of await Promise.all(sent)) {
          assert.deepEqual(rows, expected);
        }
      }),
      { numRuns: 100 },
    );
    const large = Buffer.alloc(20_000, 1);
    await assert.rejects(client.query('select $1::bytea / 0', [large]), { code: '42883' });
    const { rows } = await client.query('select length($1::bytea) as length', [large]);
    assert.deepEqual(rows, [{ length: 20_000 }]);
  } finally {
    await client.end();
  }
});
