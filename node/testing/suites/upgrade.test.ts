/**
 * An upgrade of the application that adds columns, rolled out district by district, the region and the nation last, while
 * clerks work at every district: no table stops, no key is parked, and in the end every column is filled everywhere.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { sqlFailure } from '../../database/sqlstate.ts';
import type { StatusReport } from '../../monitor/status-report.ts';
import { roles } from '../database.ts';
import { enter } from '../kept-rows.ts';
import { Random } from '../random.ts';
import { Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;

/** What the new version brings along at every node; above the districts it enters no rows. */
const upgrade = `
  alter table public.case_report add column severity integer not null default 0, add column remark text;
  alter table public.facility add column opened date;`;

/** Rows of before get values, and so do new ones. */
const district = `
  ${upgrade}
  alter table public.case_report alter column severity set default (random() * 100)::integer;
  alter table public.facility alter column opened set default date '2020-01-01' + (random() * 1000)::integer;
  update public.case_report set severity = 1 + length(id::text || coalesce(note, '')), remark = repeat(id::text, 100);
  update public.facility set opened = date '1990-01-01' + length(name);`;

/** At each district, and no clerk of the workload touches them. */
const rowsOfBefore = 30;

void test('an upgrade that adds columns is rolled out under load: no table stops, no key is parked, all columns are filled', async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await Tree.create({ parents });
  const districts = tree.leaves.map(({ name }) => name);
  for (const leaf of districts) {
    await enter(tree.node(leaf).database, 'of before', rowsOfBefore);
  }
  const ended = new AbortController();
  const workload = new Workload({ seed, leaves: tree.leaves, pauseMs: 20 });
  const working = workload.run(ended.signal);
  const stopped: string[] = [];
  const watching = watch(tree, stopped, ended.signal);
  const rows = async (node: string): Promise<number> =>
    (await tree.node(node).database.query('select from public.case_report')).length;
  try {
    const begun = async (): Promise<boolean> =>
      (await rows('nation')) > districts.length * rowsOfBefore + 20;
    await tree.until(begun, { what: 'rows arrive at the nation', ms: 120_000 });
    for (const leaf of districts) {
      await run(tree, leaf, district);
      await tree.until(async () => (await partialOf(tree, 'north')).length === 2, {
        what: 'the region knows that it lacks columns',
        ms: 120_000,
      });
    }
    for (const node of ['north', 'nation']) {
      await run(tree, node, upgrade);
      await tree.until(async () => (await partialOf(tree, node)).length === 0, {
        what: `${node} lacks no column`,
        ms: 120_000,
      });
    }
  } finally {
    ended.abort();
    await working;
    await watching;
  }
  await tree.waitLevel(180_000);
  assert.deepEqual(stopped, []);
  for (const node of ['north', 'nation']) {
    const [filled] = await tree.node(node).database.query(
      `select count(*)::int as all, count(*) filter (
         where severity = 1 + length(id::text || note) and remark = repeat(id::text, 100))::int as filled
       from public.case_report where note = 'of before'`,
    );
    const all = districts.length * rowsOfBefore;
    assert.deepEqual(
      filled,
      { all, filled: all },
      `what the upgrade gave to rows of before, at ${node}`,
    );
    await tree.until(
      async () => (await tree.status<StatusReport>(node)).streams.every(({ complete }) => complete),
      { what: `${node} is complete` },
    );
  }
});

/**
 * As the owner does it: the upgrade in one transaction, once more when it was the victim of a deadlock (it locks tables
 * in another order than clerks and streams do), then prepare.
 */
async function run(tree: Tree, node: string, sql: string): Promise<void> {
  const client = await tree.node(node).database.client(roles.owner);
  await tree.until(
    async () =>
      await client.query(`begin; ${sql} commit`).then(
        () => true,
        async (error: unknown) => {
          await client.query('rollback');
          if (sqlFailure(error)?.sqlstate !== '40P01') {
            throw error;
          }
          return false;
        },
      ),
    { what: `the upgrade at ${node}`, throwing: true },
  );
  await client.end();
  await tree.prepare([node]);
}

async function partialOf(tree: Tree, node: string): Promise<readonly string[]> {
  const rows = await tree
    .node(node)
    .database.query<{ line: string }>(
      `select distinct table_name as line from tributary.partial order by 1`,
    );
  return rows.map(({ line }) => line);
}

/** Tables that are left alone, keys that are parked, and streams that do not run, as long as it goes on. */
async function watch(tree: Tree, stopped: string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const node of ['north', 'nation']) {
      const rows = await tree.node(node).database.query<{ line: string }>(
        `select concat_ws(' ', 'blocked', provider, table_name, cause, column_name) as line from tributary.blocked
         union all
         select concat_ws(' ', 'parked', provider, table_name, reason, sqlstate) from tributary.parked`,
      );
      stopped.push(...rows.map(({ line }) => `${node}: ${line}`));
    }
    await pause(100, undefined, { signal }).catch(() => {});
  }
}
