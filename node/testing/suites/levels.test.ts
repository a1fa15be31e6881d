import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../random.ts';
import { chain, country, Tree } from '../tree.ts';
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

void test('a row entered at a region leaves it only when approved, and whole', async () => {
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('north');
  await database.query(
    `insert into public.case_report (id, status, scan)
     select gen_random_uuid(), 'draft', decode(repeat(md5(n::text), 700), 'hex') from generate_series(1, 4) n`,
  );
  await database.query(
    `update public.case_report set status = 'approved' where id in (select id from public.case_report limit 2)`,
  );
  await tree.waitLevel();
  const rows = await tree
    .node('nation')
    .database.query(
      `select status, tributary_origin as origin, octet_length(scan) as size from public.case_report`,
    );
  const row = { status: 'approved', origin: 'north', size: 11_200 };
  assert.deepEqual(rows, [row, row]);
});
