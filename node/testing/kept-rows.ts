/** Rows of one origin at several nodes, as they stand: that none of them is lost or changed later. */
import assert from 'node:assert/strict';
import type { NodeDatabase } from './node-database.ts';
import type { Tree } from './tree.ts';

/** Approved rows with a value out of line. */
export async function enter(database: NodeDatabase, note: string, rows: number): Promise<void> {
  await database.query(
    `insert into public.case_report (id, status, note, narrative)
     select gen_random_uuid(), 'approved', $1, repeat(md5(n::text), 200) from generate_series(1, $2::int) n`,
    [note, rows],
  );
}

/** Rows of an origin at a node, by their id, as texts. */
export async function rowsAt(
  tree: Tree,
  node: string,
  origin: string,
): Promise<Map<string, string>> {
  const rows = await tree.node(node).database.query<{ id: string; row: string }>(
    `select 'case_report ' || r.id::text as id, row(r.status, r.note, r.narrative)::text as row
     from public.case_report r where r.tributary_origin = $1`,
    [origin],
  );
  return new Map(rows.map(({ id, row }) => [id, row]));
}

export async function allRows(
  tree: Tree,
  nodes: readonly string[],
  origin: string,
): Promise<Map<string, Map<string, string>>> {
  const all = new Map<string, Map<string, string>>();
  for (const node of nodes) {
    all.set(node, await rowsAt(tree, node, origin));
  }
  return all;
}

/** Everything that stood there stands there as it was. */
export async function assertKept(
  tree: Tree,
  origin: string,
  before: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Promise<void> {
  for (const [node, rows] of before) {
    const now = await rowsAt(tree, node, origin);
    const lost = [...rows].filter(([id, row]) => now.get(id) !== row);
    assert.deepEqual(lost, [], `rows of ${origin} lost at ${node}`);
  }
}

/** The row versions PostgreSQL holds of an origin at several nodes: a row that is written anew, be it as it was, is another. */
export async function versionsOf(
  tree: Tree,
  nodes: readonly string[],
  origin: string,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const sql = tree.tables
    .map(
      ({ name }) =>
        `select concat_ws(' ', '${name}', r.ctid, r.xmin) as version from public.${name} r
         where r.tributary_origin = $1`,
    )
    .join(' union all ');
  const all = new Map<string, ReadonlySet<string>>();
  for (const node of nodes) {
    const rows = await tree.node(node).database.query<{ version: string }>(sql, [origin]);
    all.set(node, new Set(rows.map(({ version }) => version)));
  }
  return all;
}

/** Not one of them was removed or overwritten, not even for a moment. */
export async function assertUntouched(
  tree: Tree,
  origin: string,
  before: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  const now = await versionsOf(tree, [...before.keys()], origin);
  for (const [node, versions] of before) {
    assert.ok(versions.size > 0, `no row of ${origin} at ${node}`);
    const touched = [...versions].filter((version) => !now.get(node)?.has(version));
    assert.deepEqual(touched, [], `rows of ${origin} touched at ${node}`);
  }
}
