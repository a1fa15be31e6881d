/** A row filter that is changed while everything runs. */
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { deliver } from '../deliver.ts';
import { isLevel } from '../level.ts';
import { Random } from '../random.ts';
import { chain, Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

void test('a filter changed live: every level is equal again, and only the difference travels', async (t) => {
  const random = new Random(Random.seedOfRun());
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('district_a');
  await database.query(
    `insert into public.case_report (id, status, narrative)
     select gen_random_uuid(), case when n % 10 = 0 then 'closed' else 'approved' end, repeat('x', 300)
     from generate_series(1, 3000) n`,
  );
  await tree.waitLevel(120_000);
  const before = tree.text;
  const wider = `status in ('approved', 'closed')`;
  for (const [filter, text] of [
    [wider, before.replace(`status = 'approved'`, wider)],
    [`status = 'approved'`, before],
  ] as const) {
    const workload = new Workload({
      seed: random.below(2 ** 32),
      leaves: tree.leaves,
      pauseMs: 40,
      largeBytes: 3000,
    });
    await using working = new Background(async (signal) => await workload.run(signal));
    await writeFile(tree.file, text);
    await tree.prepare();
    for (const { name } of tree.nodes) {
      await deliver(tree, name, text);
    }
    await tree.until(async () => (await changedOf(tree)).length === 2, {
      what: 'both levels compare the table',
      ms: 60_000,
      everyMs: 200,
    });
    await working.stop();
    const tables = tree.tables.map((table) =>
      table.name === 'case_report' ? { ...table, approved: filter } : table,
    );
    await tree.until(
      async () => await isLevel({ nodes: tree.nodes, tables, node: (name) => tree.node(name) }),
      { what: `every level is equal by ${filter}`, ms: 120_000, everyMs: 500 },
    );
    t.diagnostic(`${filter}: ${(await changedOf(tree)).join('; ')}`);
    for (const name of ['north', 'nation']) {
      await tree
        .node(name)
        .database.query(
          `update tributary.reconcile set reason = 'seen' where reason = 'publication_changed'`,
        );
    }
  }
});

/** Comparisons that a changed publication has made, one line a node. */
async function changedOf(tree: Tree): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of ['north', 'nation']) {
    const rows = await tree.node(name).database.query<Sums>(
      `select bytes::int as bytes, sent::int as sent from tributary.reconcile
       where table_name = 'case_report' and reason = 'publication_changed' and state = 'done'`,
    );
    lines.push(...rows.map(({ bytes, sent }) => `${name} ${bytes} bytes, ${sent} rows`));
  }
  return lines;
}

interface Sums {
  readonly bytes: number;
  readonly sent: number;
}
