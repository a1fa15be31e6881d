/**
 * A region that already held a district's rows before Tributary came: `prepare` stamped them with the region's name, and
 * `adopt: true` hands them over to the district, once, while the rest stays the region's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roles } from '../database.ts';
import { chain, Tree } from '../tree.ts';

const rows = (from: number, to: number, name: string): string =>
  `insert into public.facility (code, name) select 'f' || n, '${name}' from generate_series(${from}, ${to}) n;`;

/** Origins and names of the rows at a node, with their number. */
async function owners(tree: Tree, node: string): Promise<readonly string[]> {
  const found = await tree
    .node(node)
    .database.query<{ line: string }>(
      `select concat_ws(' ', tributary_origin, name, count(*)) as line from public.facility group by tributary_origin, name order by 1`,
    );
  return found.map(({ line }) => line);
}

async function became(tree: Tree, node: string, expected: readonly string[]): Promise<void> {
  let seen: readonly string[] = [];
  await tree
    .until(
      async () => {
        seen = await owners(tree, node);
        return JSON.stringify(seen) === JSON.stringify(expected);
      },
      { what: `${node} has ${expected.join(', ')}`, ms: 120_000 },
    )
    .catch((error: unknown) => {
      assert.deepEqual(seen, expected, node);
      throw error;
    });
}

void test('rows that stood at the region under its own name become the district that sends them, once, and counted', async () => {
  await using tree = await Tree.create({
    parents: chain,
    start: false,
    more: { district_a: ['adopt: true'] },
  });
  // Before anything was prepared: the region holds copies, some of them old, and rows of its own.
  const at = async (node: string, sql: string): Promise<void> => {
    const client = await tree.node(node).database.client(roles.owner);
    await client.query(sql);
    await client.end();
  };
  await at('north', rows(1, 30, 'old'));
  await at('north', rows(41, 45, 'region'));
  await at('district_a', rows(1, 20, 'old'));
  await at('district_a', rows(21, 40, 'new'));
  await tree.prepare();
  assert.deepEqual(await owners(tree, 'north'), ['north old 30', 'north region 5']);
  await tree.startAll();
  const expected = ['district_a new 20', 'district_a old 20', 'north region 5'];
  await became(tree, 'north', expected);
  await became(tree, 'nation', expected);
  const metrics = await fetch(`http://127.0.0.1:${tree.node('north').httpPort}/metrics`);
  const counted = /conflict_type="adopted"[^\n]* (\d+)$/m.exec(await metrics.text());
  assert.equal(counted?.[1], '30');
  await tree.until(
    async () => {
      const open = await tree
        .node('north')
        .database.query(`select from tributary.reconcile where state <> 'done'`);
      return open.length === 0;
    },
    { what: 'the first copy is through' },
  );
  // Once: what stands here under the region's name now is the region's.
  await at('district_a', rows(41, 41, 'twice'));
  await tree.until(
    async () => {
      const parked = await tree
        .node('north')
        .database.query(`select from tributary.parked where reason = 'origin_violation'`);
      return parked.length === 1;
    },
    { what: 'the key that two nodes made is parked' },
  );
  assert.deepEqual(await owners(tree, 'north'), expected);
  // And what was handed over is the district's: its changes arrive.
  await at('district_a', `update public.facility set name = 'newer' where code = 'f1'`);
  await became(tree, 'nation', [
    'district_a new 20',
    'district_a newer 1',
    'district_a old 19',
    'north region 5',
  ]);
  assert.deepEqual(await tree.node('nation').database.query(`select from tributary.parked`), []);
});
