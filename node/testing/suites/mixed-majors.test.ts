/** A country does not upgrade in one night: older and newer PostgreSQL below and above each other in one tree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors } from '../database.ts';
import { Random } from '../random.ts';
import { country, Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

/** Up and down by turns, the region between two of the other version. */
const upAndDown = {
  nation: 15,
  north: 18,
  district_a: 15,
  district_b: 18,
  south: 15,
  district_c: 18,
} as const;

const needed = [15, 18].every((major) => majors().includes(major));

void test(
  '15 and 18 below and above each other: first copy, stream and comparison are equal',
  {
    skip: needed ? false : 'PostgreSQL 15 and 18 are needed',
  },
  async (t) => {
    const seed = Random.seedOfRun();
    t.diagnostic(`seed ${seed}`);
    await using tree = await Tree.create({ parents: country, majors: upAndDown, start: false });
    const work = async (rounds: number, of: number): Promise<void> => {
      const options = { seed: of, leaves: tree.leaves, transactions: rounds, pauseMs: 2 };
      await new Workload(options).run();
    };
    // What is there before any node runs comes by the first copy.
    await work(60, seed);
    await tree.prepare();
    await tree.startAll();
    await work(120, seed + 1);
    await tree.waitLevel(120_000);
    for (const node of ['nation', 'north', 'south']) {
      const [row] = await tree
        .node(node)
        .database.query<{ version: number; rows: number }>(
          `select current_setting('server_version_num')::int / 10000 as version, count(*)::int as rows from public.case_report`,
        );
      assert.equal(row?.version, upAndDown[node as keyof typeof upAndDown]);
      assert.ok((row?.rows ?? 0) > 20, `${node} holds ${row?.rows} rows`);
      const verified = await tree.command(node, ['verify']);
      t.diagnostic(`${node}: ${verified.stdout.trim().split('\n').join(' | ')}`);
      assert.equal(verified.code, 0, verified.stderr);
    }
  },
);
