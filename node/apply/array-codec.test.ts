import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { PlainTuple } from '../testing/changes.ts';
import { TestDatabase } from '../testing/database.ts';
import { encodeColumns, encodeTextArray, textOid } from './array-codec.ts';

void test('PostgreSQL reads the arrays as they were meant, null and empty values too', async () => {
  await using database = await TestDatabase.create();
  const client = new pg.Client({ connectionString: database.url() });
  await client.connect();
  const texts = fc.array(fc.option(fc.string({ unit: 'grapheme' })), { maxLength: 20 });
  try {
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const clean = values.map((value) => value?.replaceAll('\u0000', '') ?? null);
        const arrays = encodeColumns(
          clean.map((value) => new PlainTuple([value])),
          { columns: [0], form: 'text', elementOids: [textOid] },
        );
        const { rows } = await client.query(`select u from unnest($1::text[]) u`, [
          ...(arrays ?? []),
        ]);
        assert.deepEqual(
          rows.map(({ u }) => u),
          clean,
        );
      }),
      { numRuns: 100 },
    );
    const { rows } = await client.query(`select $1::text[] as names`, [
      encodeTextArray(['north', 'ñandú']),
    ]);
    assert.deepEqual(rows, [{ names: ['north', 'ñandú'] }]);
  } finally {
    await client.end();
  }
});
