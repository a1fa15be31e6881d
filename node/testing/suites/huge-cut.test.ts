/** A transaction too large for memory whose link is cut again and again arrives by comparison, and holds nobody up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamStatus, untilMended } from '../stream-watch.ts';
import { Tree } from '../tree.ts';

const megabyte = 1 << 20;
const rows = 600;
const fromA = { subscriber: 'north', provider: 'district_a' };
const ticket = 'of both';

void test('a huge transaction whose link is cut five times arrives, a sibling with its unique code is not delayed', async (t) => {
  await using tree = await Tree.create({
    parents: { nation: null, north: 'nation', district_a: 'north', district_b: 'north' },
  });
  const north = tree.node('north').database;
  const link = tree.link('district_a');
  await tree.until(
    async () =>
      (await north.query(`select from tributary.heartbeat where node = 'district_a'`)).length === 1,
    { what: 'a heartbeat of district_a at north' },
  );
  link.refuse();
  await tree.node('district_a').database.query(
    `insert into public.case_report (id, status, ticket, narrative)
     select gen_random_uuid(), 'approved', case n when 1 then '${ticket}' end, repeat(md5(n::text), 2048)
     from generate_series(1, ${rows}) n`,
  );
  link.heal();
  await link.cutAfter(12 * megabyte);
  const siblingMs = await ofSibling(tree);
  let retained = 0;
  for (let cut = 2; cut <= 5; cut += 1) {
    await link.cutAfter(12 * megabyte);
    retained = Math.max(retained, await retainedAt(tree));
  }
  const bytes = link.bytes.fromServer;
  await tree
    .node('district_b')
    .database.query(`update public.case_report set ticket = null where ticket = '${ticket}'`);
  await untilMended(tree, fromA, 'transaction_cut');
  await tree.waitLevel(120_000);
  assert.equal((await streamStatus(tree, fromA)).state, 'streaming');
  t.diagnostic(`the sibling's row after ${siblingMs} ms; north kept at most ${retained} bytes`);
  t.diagnostic(`after the last cut ${Math.round((link.bytes.fromServer - bytes) / megabyte)} MB`);
  assert.ok(siblingMs < 10_000);
  assert.ok(retained < 64 * megabyte);
});

/** Milliseconds until a row of the sibling with the same unique code is here. */
async function ofSibling(tree: Tree): Promise<number> {
  const started = performance.now();
  await tree
    .node('district_b')
    .database.query(
      `insert into public.case_report (id, status, ticket) values (gen_random_uuid(), 'approved', '${ticket}')`,
    );
  await tree.until(
    async () =>
      (
        await tree
          .node('nation')
          .database.query(
            `select from public.case_report where ticket = '${ticket}' and tributary_origin = 'district_b'`,
          )
      ).length === 1,
    { what: "the sibling's row at the nation" },
  );
  return Math.round(performance.now() - started);
}

async function retainedAt(tree: Tree): Promise<number> {
  const [slot] = await tree.node('north').database.query<{ bytes: number }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)::float8 as bytes
       from pg_replication_slots where slot_name = 'tributary_nation'`,
  );
  return slot?.bytes ?? Infinity;
}
