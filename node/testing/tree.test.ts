import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { loadTopology } from '../config/load.ts';
import { chain, Tree } from './tree.ts';

void test('a tree stands, tells what differs between its levels, and leaves nothing behind', async () => {
  const tree = await Tree.create({ parents: chain, start: false });
  try {
    assert.deepEqual(
      (await loadTopology(tree.file)).nodes.map(({ name, level, parent }) => [name, level, parent]),
      [
        ['nation', 'nation', null],
        ['north', 'region', 'nation'],
        ['district_a', 'district', 'north'],
      ],
    );
    await tree.prepare();
    assert.deepEqual(await tree.differences(), []);
    const [district, north, nation] = ['district_a', 'north', 'nation'].map(
      (name) => tree.node(name).database,
    );
    await district?.query(
      `insert into public.case_report (id, status, at)
       values ('00000000-0000-4000-8000-000000000001', 'approved', '2026-01-01'),
              ('00000000-0000-4000-8000-000000000002', 'draft', '2026-01-01')`,
    );
    const copy = `insert into public.case_report (id, status, at, note, tributary_origin)
       values ('00000000-0000-4000-8000-000000000001', 'approved', '2026-01-01', $1, 'district_a')`;
    assert.match((await tree.differences()).join('\n'), /nation has 0 of 1 rows of district_a/);
    await north?.query(copy, [null]);
    await nation?.query(copy, ['']);
    assert.match((await tree.differences()).join('\n'), /^nation has 1 of 1 .* different 1/);
    await nation?.queryBehind(`update public.case_report set note = null`);
    assert.deepEqual(await tree.differences(), []);
    await north?.query(
      `insert into public.case_report (id, status, tributary_origin)
       values ('00000000-0000-4000-8000-000000000002', 'draft', 'district_a')`,
    );
    assert.match((await tree.differences()).join('\n'), /^north has 2 of 1 .* surplus 1/);
  } finally {
    await tree[Symbol.asyncDispose]();
  }
  assert.equal(existsSync(tree.directory), false);
  assert.ok(tree.nodes.every(({ database }) => !existsSync(database.cluster.directory)));
});
