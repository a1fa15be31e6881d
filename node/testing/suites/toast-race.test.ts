/**
 * A row may be approved while its large values were written long before, and while many others are approved beside it.
 * Re-reading such a row at the provider is a race that loses; nothing here may be stale or missing.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import type { ApplicationTable } from '../application.ts';
import { roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { chain, Tree } from '../tree.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 450);
const sessions = 8;

const approved = "status = 'approved'";
const tables: readonly ApplicationTable[] = [{ name: 'approval', approved, key: 'id' }];
const application = {
  tables,
  sql: `create table public.approval (id uuid primary key, status text not null, number integer, image bytea, story text);`,
  yaml: `tables:\n  - {table: public.approval, approved: "${approved}"}\n`,
};

void test(`${rows} concurrent approvals carry every large value`, async (t) => {
  await using tree = await Tree.create({ parents: chain, application });
  await drafts(tree.node('district_a').database);
  await approveAll(tree.node('district_a').database);
  await tree.waitLevel(60_000 + rows * 10);
  t.diagnostic(await seen(tree));
});

void test(`${rows} approvals that wait for a standby nobody has carry every large value`, async (t) => {
  await using tree = await Tree.create({ parents: chain, application });
  const leaf = tree.node('district_a').database;
  await drafts(leaf);
  await setStandby(leaf, 'nobody');
  const approving = approveAll(leaf);
  // The walsender sends what other sessions do not see yet: commits wait for the standby, not the stream.
  await tree.until(async () => (await waiting(leaf)) > 0, {
    what: 'a commit waits for the standby',
  });
  await tree.until(
    async () =>
      (await tree.node('north').database.query(`select from public.approval limit 1`)).length > 0,
    { what: 'an approval arrives that its own node does not show yet' },
  );
  assert.deepEqual(await leaf.query(`select from public.approval where status = 'approved'`), []);
  await pause(500);
  await setStandby(leaf, '');
  await approving;
  await tree.waitLevel(60_000 + rows * 10);
  t.diagnostic(await seen(tree));
});

async function drafts(leaf: NodeDatabase): Promise<void> {
  await leaf.query(
    `insert into public.approval (id, status, number, image, story)
     select
       gen_random_uuid(),
       'draft',
       n,
       (select string_agg(sha512((n || ' image ' || part)::bytea), '') from generate_series(1, 160) part),
       (select string_agg(encode(sha512((n || ' story ' || part)::bytea), 'hex'), '') from generate_series(1, 40) part)
     from generate_series(1, ${rows}) n`,
  );
}

/** Each in a transaction of its own, several sessions side by side; some edit one of the two values as they approve. */
async function approveAll(leaf: NodeDatabase): Promise<void> {
  await Promise.all(
    Array.from({ length: sessions }, async (_, session) => {
      const client = await leaf.client(roles.owner);
      for (let number = session + 1; number <= rows; number += sessions) {
        const edit = number % 5 === 0 ? `, story = story || 'edited'` : '';
        await client.query(
          `update public.approval set status = 'approved'${edit} where number = $1`,
          [number],
        );
      }
      await client.end();
    }),
  );
}

async function setStandby(leaf: NodeDatabase, name: string): Promise<void> {
  await leaf.query(`alter system set synchronous_standby_names = '${name}'`);
  await leaf.query(`select pg_reload_conf()`);
}

async function waiting(leaf: NodeDatabase): Promise<number> {
  return (await leaf.query(`select from pg_stat_activity where wait_event = 'SyncRep'`)).length;
}

/** That every copy is whole is judged by waitLevel; this counts what it looked at. */
async function seen(tree: Tree): Promise<string> {
  const [row] = await tree.node('nation').database.query<{ rows: string; missing: string }>(
    `select count(*) as rows, count(*) filter (where image is null or story is null) as missing
     from public.approval`,
  );
  assert.equal(Number(row?.rows), rows);
  return `${row?.rows} rows at the nation, ${row?.missing} values missing`;
}
