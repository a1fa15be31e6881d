import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChild } from '../testing/child.ts';
import { newest } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { OpenWork } from './open-work.ts';

void test('many streams are one question, and one that failed is asked again at once', async () => {
  await using database = await createChild(newest());
  const note = async (provider: string): Promise<void> => {
    await database.query(
      `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ($1, 'public', 'visit', 'asked')`,
      [provider],
    );
  };
  await note('north');
  let asked = 0;
  let reachable = true;
  const work = new OpenWork(async (text, values) => {
    asked += 1;
    return await database.query(reachable ? text : 'select 1 / 0', [...(values ?? [])]);
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => await work.of(n === 7 ? 'north' : `child_${n}`)),
  );
  assert.deepEqual([asked, answers.filter(Boolean).length, answers[7]], [1, 1, true]);
  await note('south');
  const seen = { what: 'new work is seen', ms: 10_000 };
  await until(async () => await work.of('south'), seen);
  reachable = false;
  const fails = async (): Promise<boolean> =>
    await work.of('south').then(
      () => false,
      () => true,
    );
  await until(fails, { what: 'the question fails', ms: 10_000 });
  reachable = true;
  assert.equal(await work.of('south'), true);
  await database.query(`update tributary.reconcile set state = 'done'`);
  await until(async () => !(await work.of('north')), { what: 'no work is left', ms: 10_000 });
});
