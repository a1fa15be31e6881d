/** A child changes only rows of its own subtree; and what it says about itself travels in its place in commit order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { chain, Tree } from '../tree.ts';

const siblings = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;
const id = '00000000-0000-4000-8000-00000000000a';

interface Streams {
  readonly streams: readonly {
    readonly provider: string;
    readonly parked: readonly { readonly reason: string }[];
  }[];
}

void test('a key that two children made stays as the first made it; the other is parked and counted', async () => {
  await using tree = await Tree.create({ parents: siblings });
  const [a, b] = [tree.node('district_a').database, tree.node('district_b').database];
  await a.query(enter('of a'));
  await tree.waitLevel();
  await b.query(enter('of b'));
  await tree.until(
    async () => {
      const { streams } = await tree.status<Streams>('north');
      const stream = streams.find(({ provider }) => provider === 'district_b');
      return stream?.parked.some(({ reason }) => reason === 'origin_violation') ?? false;
    },
    { what: 'the key of the second is parked' },
  );
  await a.query(`update public.case_report set note = 'of a, edited'`);
  await tree.until(async () => (await noteAt(tree, 'nation')) === 'of a, edited', {
    what: 'the stream of the sibling goes on',
  });
  await b.query(
    `insert into public.case_report (id, status, note) values (gen_random_uuid(), 'approved', 'another of b')`,
  );
  await tree.until(
    async () => {
      const rows = await tree
        .node('nation')
        .database.query(`select from public.case_report where note = 'another of b'`);
      return rows.length === 1;
    },
    { what: 'so does the stream of the second' },
  );
  assert.equal(await noteAt(tree, 'nation'), 'of a, edited');
});

void test('a TRUNCATE removes the rows of that child and no other', async () => {
  await using tree = await Tree.create({ parents: siblings });
  for (const { database } of tree.leaves) {
    await database.query(
      `insert into public.case_report (id, status) select gen_random_uuid(), 'approved' from generate_series(1, 20)`,
    );
  }
  await tree.waitLevel();
  await tree.node('district_b').database.query(`truncate public.case_report`);
  await tree.waitLevel();
  const rows = await tree
    .node('nation')
    .database.query(
      `select tributary_origin as origin, count(*)::int as rows from public.case_report group by 1`,
    );
  assert.deepEqual(rows, [{ origin: 'district_a', rows: 20 }]);
});

void test('a heartbeat never overtakes the data before it', async (t) => {
  await using tree = await Tree.create({ parents: chain, heartbeat: '1s' });
  const leaf = tree.node('district_a').database;
  const nation = tree.node('nation').database;
  /** By number: the node's clock when its commit was done. */
  const committed: number[] = [];
  await using writing = new Background(async (signal) => {
    await number(leaf, committed, signal);
  });
  let looks = 0;
  let beats = 0;
  let last = 0;
  await tree.until(
    async () => {
      const [seen] = await nation.query<{ beat: string | null; number: number }>(
        `select
           (select extract(epoch from h.at) from tributary.heartbeat h where h.node = 'district_a') as beat,
           (${firstMissing}) as number`,
      );
      const beat = Number(seen?.beat ?? 0);
      const due = committed.findLastIndex((at) => at < beat);
      assert.ok(
        (seen?.number ?? 0) > due,
        `the heartbeat is here, row ${seen?.number} before it is not`,
      );
      looks += 1;
      beats += beat > last ? 1 : 0;
      last = Math.max(last, beat);
      return beats >= 6;
    },
    { what: 'six heartbeats at the nation', ms: 60_000, everyMs: 2, throwing: true },
  );
  await writing.stop();
  t.diagnostic(`${committed.length} rows, ${beats} heartbeats, ${looks} looks`);
});

function enter(note: string): string {
  return `insert into public.case_report (id, status, note) values ('${id}', 'approved', '${note}')`;
}

/** The lowest number that no row has. */
const firstMissing = `
  select min(n) from generate_series(0, (select count(*)::int from public.case_report)) n
  where not exists (select from public.case_report where amount = n)`;

/** Rows numbered by `amount`, some of them large, each committed by itself. */
async function number(leaf: NodeDatabase, committed: number[], signal: AbortSignal): Promise<void> {
  const client = await leaf.client(roles.owner);
  while (!signal.aborted) {
    await client.query(
      `insert into public.case_report (id, status, amount, note)
       values (gen_random_uuid(), 'approved', $1, repeat('n', $2))`,
      [committed.length, committed.length % 7 === 0 ? 100_000 : 10],
    );
    const { rows } = await client.query<{ at: string }>(
      `select extract(epoch from clock_timestamp()) as at`,
    );
    committed.push(Number(rows[0]?.at));
  }
  await client.end();
}

async function noteAt(tree: Tree, node: string): Promise<string | null> {
  const rows = await tree
    .node(node)
    .database.query<{ note: string }>(`select note from public.case_report where id = $1`, [id]);
  return rows[0]?.note ?? null;
}
