/** A datacentre with rows of years joins: everything approved arrives, while work goes on, and status says when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { Random } from '../random.ts';
import { chain, Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 20_000);

void test('rows approved before the stream began arrive at every level, while work goes on', async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await Tree.create({ parents: chain, start: false });
  const { database } = tree.node('district_a');
  await database.query(
    `insert into public.facility (code, name) select 'old ' || n, 'Facility' from generate_series(1, 500) n;
     insert into public.case_report (id, status, entered_by, note, detail, scan)
     select gen_random_uuid(), case when n % 4 = 0 then 'draft' else 'approved' end, 'before', md5(n::text),
       jsonb_build_object('n', n), case when n % 100 = 0 then decode(repeat(md5(n::text), 640), 'hex') end
     from generate_series(1, ${rows}) n;
     insert into public.laboratory_result (id, released, value) select gen_random_uuid(), n % 2 = 0, n from generate_series(1, 1000) n`,
  );
  await tree.prepare();
  const workload = new Workload({ seed, leaves: tree.leaves, pauseMs: 10 });
  await using working = new Background(async (signal) => {
    await workload.run(signal);
  });
  await tree.startAll();
  await tree.until(async () => await complete(tree, 'nation', 'district_a'), {
    what: 'the nation is complete for the district',
    ms: 120_000,
  });
  await working.stop();
  await tree.waitLevel(120_000);
  const [left] = await tree
    .node('north')
    .database.query<{ open: number }>(
      `select count(*)::int as open from tributary.reconcile where state <> 'done'`,
    );
  assert.equal(left?.open, 0);
  t.diagnostic(JSON.stringify(workload.counts));
});

async function complete(tree: Tree, node: string, origin: string): Promise<boolean> {
  const [row] = await tree
    .node(node)
    .database.query<{ complete: boolean }>(
      `select complete from tributary.freshness where origin = $1`,
      [origin],
    );
  return row?.complete ?? false;
}
