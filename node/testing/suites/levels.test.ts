import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../random.ts';
import { country, Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

void test('random work at every leaf makes every level equal', async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await Tree.create({ parents: country });
  const workload = new Workload({ seed, leaves: tree.leaves, transactions: 150, pauseMs: 2 });
  await workload.run();
  await tree.waitLevel();
  t.diagnostic(JSON.stringify(workload.counts));
  for (const action of ['approve', 'withdraw', 'remove', 'changeKey', 'moveTicket', 'savepoint']) {
    assert.ok((workload.counts[action] ?? 0) > 5, action);
  }
});
