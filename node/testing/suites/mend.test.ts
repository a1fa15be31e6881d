/** Doubts that cannot have lost anything: the stream begins at a new slot, and both sides are equal without a person. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { Random } from '../random.ts';
import { untilMended, untilStreaming } from '../stream-watch.ts';
import { chain, Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 5000);
const fromA = { subscriber: 'north', provider: 'district_a' };

async function filled(t: { diagnostic(text: string): void }): Promise<Tree> {
  const tree = await Tree.create({ parents: chain });
  try {
    await tree.node('district_a').database.query(
      `insert into public.case_report (id, status, note)
       select gen_random_uuid(), 'approved', 'row ' || n from generate_series(1, ${rows}) n`,
    );
    await tree.waitLevel(180_000);
    await heard(tree);
    return tree;
  } catch (error) {
    t.diagnostic(tree.logs());
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

/** A heartbeat of the district is applied at north: its witness. */
async function heard(tree: Tree): Promise<void> {
  await tree.until(
    async () =>
      (
        await tree
          .node('north')
          .database.query(`select from tributary.heartbeat where node = 'district_a'`)
      ).length === 1,
    { what: 'a heartbeat of district_a at north' },
  );
}

/** What no stream will bring: rows added, changed and removed. */
async function change(tree: Tree): Promise<void> {
  await tree.node('district_a').database.query(
    `delete from public.case_report where id in (select id from public.case_report order by id limit 50);
     update public.case_report set note = 'changed' where id in (select id from public.case_report order by id desc limit 60);
     insert into public.case_report (id, status, note)
     select gen_random_uuid(), 'approved', 'meanwhile' from generate_series(1, 70) n`,
  );
}

/** Under load, and for the doubt that is expected. */
async function mends(
  t: { diagnostic(text: string): void },
  doubt: string,
  hurt: (tree: Tree) => Promise<void>,
): Promise<void> {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await filled(t);
  const workload = new Workload({ seed, leaves: tree.leaves, pauseMs: 10 });
  await using working = new Background(async (signal) => {
    await workload.run(signal);
  });
  const before = tree.link('district_a').bytes.fromServer;
  const started = performance.now();
  await hurt(tree);
  await untilMended(tree, fromA, doubt);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  await working.stop();
  await tree.waitLevel(300_000);
  t.diagnostic(
    `level after ${seconds} s, ${tree.link('district_a').bytes.fromServer - before} bytes`,
  );
  await untilStreaming(tree, fromA);
  await audited(tree, doubt);
}

/** Logged, counted and audited, and the audit has travelled upstream. */
async function audited(tree: Tree, doubt: string): Promise<void> {
  assert.match(tree.process('north').log, new RegExp(`${doubt}.*a new slot was made`));
  const page = await fetch(`http://127.0.0.1:${tree.node('north').httpPort}/metrics`);
  const counted = new RegExp(
    `tributary_stream_doubts_total\\{stream="district_a",doubt="${doubt}"\\} 1`,
  );
  assert.match(await page.text(), counted);
  await tree.until(
    async () =>
      (
        await tree.node('nation').database.query(
          `select from tributary.audit
           where node = 'north' and action = 'new_slot' and subject = 'district_a' and detail ->> 'reason' = $1`,
          [doubt],
        )
      ).length === 1,
    { what: 'the audit at the nation' },
  );
}

/** Nobody reads the slot, and nobody comes for it, until the link heals. */
async function alone(tree: Tree, act: (name: string) => Promise<unknown>): Promise<void> {
  const { database } = tree.node('district_a');
  tree.link('district_a').refuse();
  await tree.until(
    async () =>
      (
        await database.query(
          `select from pg_replication_slots where slot_name = 'tributary_north' and not active`,
        )
      ).length === 1,
    { what: 'the slot is not in use' },
  );
  await act('tributary_north');
  tree.link('district_a').heal();
}

void test('a slot that was dropped', async (t) => {
  await mends(t, 'slot_missing', async (tree) => {
    const { database } = tree.node('district_a');
    await alone(tree, async (slot) => {
      await database.query(`select pg_drop_replication_slot($1)`, [slot]);
      await change(tree);
    });
  });
});

void test('a slot that was created again by hand', async (t) => {
  await mends(t, 'slot_ahead', async (tree) => {
    const { database } = tree.node('district_a');
    await alone(tree, async (slot) => {
      await database.query(`select pg_drop_replication_slot($1)`, [slot]);
      await change(tree);
      await database.query(`select from pg_create_logical_replication_slot($1, 'pgoutput')`, [
        slot,
      ]);
    });
  });
});

void test('a publication that was dropped and created again by prepare while the stream runs', async (t) => {
  await mends(t, 'publication_recreated', async (tree) => {
    await tree.node('district_a').database.query(`drop publication tributary_up`);
    await change(tree);
    await tree.prepare(['district_a']);
  });
});

void test('a publication that was dropped and created again by hand while the stream runs', async (t) => {
  await mends(t, 'publication_recreated', async (tree) => {
    const { database } = tree.node('district_a');
    const tables = tree.tables
      .map(
        ({ name, approved }) => `public.${name}${approved === null ? '' : ` where (${approved})`}`,
      )
      .join(', ');
    await database.query(`drop publication tributary_up`);
    await change(tree);
    await database.query(
      `create publication tributary_up for table ${tables}, tributary.heartbeat, tributary.audit
       with (publish_via_partition_root = true)`,
    );
  });
});
