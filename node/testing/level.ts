/**
 * Whether every node of a test tree equals the approved rows of its subtree: every column of every row by its text
 * form, per table and origin, in SQL of its own that shares nothing with what is tested.
 */
import { ident, literal } from '../database/ident.ts';
import type { ApplicationTable } from './application.ts';
import type { NodeDatabase } from './node-database.ts';

interface LevelNode {
  readonly name: string;
  readonly parent: string | null;
  readonly children: readonly string[];
  readonly database: NodeDatabase;
}

interface LevelTree {
  readonly nodes: readonly LevelNode[];
  readonly tables: readonly ApplicationTable[];
  node(name: string): LevelNode;
}

/** Of rows of one origin: how many, and a sum of hashes of their text that order does not change. */
interface Sum {
  readonly origin: string;
  readonly rows: string;
  readonly hash: string;
}

const nothing = { rows: '0', hash: '0' };

/** How closely tables are compared. */
type Closeness = 'counts' | 'values' | 'keys';

/** One line per node, table and origin that is not as it should be; empty when all is level. */
export async function differences(tree: LevelTree): Promise<readonly string[]> {
  return await compare(tree, 'keys');
}

/** Values are read only when the counts agree: a test that waits must not be the load its nodes suffer from. */
export async function isLevel(tree: LevelTree): Promise<boolean> {
  return (
    (await compare(tree, 'counts')).length === 0 && (await compare(tree, 'values')).length === 0
  );
}

async function compare(tree: LevelTree, how: Closeness): Promise<readonly string[]> {
  const perTable = await Promise.all(
    tree.tables.map(async (table) => await tableDifferences(tree, table, how)),
  );
  return perTable.flat();
}

async function tableDifferences(
  tree: LevelTree,
  table: ApplicationTable,
  how: Closeness,
): Promise<string[]> {
  const columns = how === 'counts' ? [table.key] : await columnsOf(tree, table);
  const sums = new Map<string, ReadonlyMap<string, Sum>>();
  await Promise.all(
    tree.nodes.map(async (node) => {
      sums.set(node.name, await sumsOf(node, table, columns));
    }),
  );
  const found: string[] = [];
  for (const node of tree.nodes.filter(({ children }) => children.length > 0)) {
    const here = sums.get(node.name);
    const below = subtree(tree, node);
    for (const origin of below) {
      const there = sums.get(origin)?.get(origin) ?? nothing;
      const copy = here?.get(origin) ?? nothing;
      if (there.rows !== copy.rows || there.hash !== copy.hash) {
        const place = { node, origin, table, columns };
        const keys = how === 'keys' ? await keysThatDiffer(tree, place) : 'differ';
        found.push(
          `${node.name} has ${copy.rows} of ${there.rows} rows of ${origin} in ${table.name}: ${keys}`,
        );
      }
    }
    for (const origin of here?.keys() ?? []) {
      if (origin !== node.name && !below.includes(origin)) {
        found.push(`${node.name} has rows of ${origin} in ${table.name}`);
      }
    }
  }
  return found;
}

/** The names of all nodes below. */
function subtree(tree: LevelTree, node: LevelNode): string[] {
  return node.children.flatMap((child) => [child, ...subtree(tree, tree.node(child))]);
}

async function columnsOf(tree: LevelTree, table: ApplicationTable): Promise<string[]> {
  const leaf = tree.nodes.find(({ children }) => children.length === 0);
  const rows = await leaf?.database.query<{ column: string }>(
    `select attname::text as column from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`public.${table.name}`],
  );
  return (rows ?? []).map(({ column }) => column);
}

async function sumsOf(
  node: LevelNode,
  table: ApplicationTable,
  columns: readonly string[],
): Promise<ReadonlyMap<string, Sum>> {
  const rows = await node.database.query<Sum>(
    `select origin, count(*)::text as rows, sum(hash)::text as hash
     from (${rowHashes(node, table, columns)}) r group by origin`,
  );
  return new Map(rows.map((row) => [row.origin, row]));
}

/** A leaf's and a node's own rows count when approved; rows of others count always: a draft has no business there. */
function rowHashes(node: LevelNode, table: ApplicationTable, columns: readonly string[]): string {
  const leaf = node.children.length === 0;
  const origin = leaf ? literal(node.name) : 'tributary_origin';
  const text = `row(${columns.map(ident).join(', ')})::text`;
  return `
    select ${origin} as origin, ${ident(table.key)}::text as key, hashtextextended(${text}, 0)::numeric as hash
    from public.${ident(table.name)}
    where (${table.approved ?? 'true'}) is true or ${origin} <> ${literal(node.name)}`;
}

interface Place {
  readonly node: LevelNode;
  readonly origin: string;
  readonly table: ApplicationTable;
  readonly columns: readonly string[];
}

/** The first keys that are missing, surplus or different, for the message of a failure. */
async function keysThatDiffer(tree: LevelTree, place: Place): Promise<string> {
  const read = async (node: LevelNode): Promise<Map<string, string>> => {
    const rows = await node.database.query<{ key: string; hash: string }>(
      `select key, hash::text from (${rowHashes(node, place.table, place.columns)}) r where origin = $1`,
      [place.origin],
    );
    return new Map(rows.map(({ key, hash }) => [key, hash]));
  };
  const [here, there] = await Promise.all([read(place.node), read(tree.node(place.origin))]);
  const missing = [...there.keys()].filter((key) => !here.has(key));
  const surplus = [...here.keys()].filter((key) => !there.has(key));
  const different = [...here]
    .filter(([key, hash]) => (there.get(key) ?? hash) !== hash)
    .map(([key]) => key);
  return [
    `missing ${missing.length} (${missing.slice(0, 3).join(' ')})`,
    `surplus ${surplus.length} (${surplus.slice(0, 3).join(' ')})`,
    `different ${different.length} (${different.slice(0, 3).join(' ')})${await columnsThatDiffer(tree, place, different[0])}`,
  ].join(', ');
}

/** Their names, of one row. */
async function columnsThatDiffer(
  tree: LevelTree,
  { node, origin, table, columns }: Place,
  key: string | undefined,
): Promise<string> {
  const read = async (database: NodeDatabase): Promise<Record<string, string>> => {
    const hashes = columns.map((name) => `md5(${ident(name)}::text) as ${ident(name)}`);
    const rows = await database.query<Record<string, string>>(
      `select ${hashes.join(', ')} from public.${ident(table.name)} where ${ident(table.key)}::text = $1`,
      [key],
    );
    return rows[0] ?? {};
  };
  if (key === undefined) {
    return '';
  }
  const [here, there] = await Promise.all([read(node.database), read(tree.node(origin).database)]);
  return ` in ${columns.filter((name) => here[name] !== there[name]).join(' ')}`;
}
