/**
 * `tributary forget NODE [--yes]`: removes what stands here of a node whose rows come here no more: it moved, or it is
 * closed for good. Shows how many rows first; with the rows goes what is known of its stream, so that one that begins
 * again begins from nothing. The next level hears of it as of any removal, and leaves the rows of a node that moved alone.
 */
import { hostname } from 'node:os';
import { replicationSet } from '../config/built-in.ts';
import type { NodeConfig, Topology } from '../config/model.ts';
import { childrenOf, nodeOf, parentOf, subtreeOf } from '../config/tree.ts';
import { forgetOrigin } from '../database/forget-origin.ts';
import { localError } from '../database/local-error.ts';
import { countRows, originTables, type RowCount } from '../database/origin-rows.ts';
import type { Query } from '../database/query.ts';
import { TributaryError } from '../errors.ts';
import { silent } from '../log.ts';
import { openDirect } from '../provider/direct.ts';
import type { Place } from './place.ts';
import { userName } from './user-name.ts';
import { openOwn } from './verify.ts';
import { version } from './version.ts';

export interface ForgetArguments {
  /** The node whose rows are to go. */
  readonly name: string;
  /** False: only shown. */
  readonly yes: boolean;
}

type Out = (line: string) => void;

/** 0: nothing of it is here any more; 3: it is shown what is, and nothing is done. @throws TributaryError forget_*, node_unknown, database_* */
export async function forgetCommand(
  { topology, node }: Place,
  { name, yes }: ForgetArguments,
  out: Out,
): Promise<number> {
  assertGone(topology, node, name);
  const { counts, begun } = await standing(topology, node, name);
  counts.forEach((each) => out(`${each.schema}.${each.name}: ${each.rows} rows of ${name}`));
  const sum = counts.reduce((rows, each) => rows + each.rows, 0);
  if (sum === 0 && !begun) {
    out(`${node.name}: nothing of ${name} is here`);
    return 0;
  }
  if (!yes) {
    const what = `these ${sum} rows, and what is known of its stream`;
    out(`${node.name}: to remove ${what}: tributary forget ${name} --yes`);
    return 3;
  }
  const { removed, streamed } = await carryOut(topology, node, name);
  out(`${node.name}: ${removed} rows of ${name} are removed, and what was known of its stream`);
  if (streamed) {
    await dropSlot(topology, { node, name }, out);
  }
  return 0;
}

/** @throws TributaryError forget_own, node_unknown */
function assertGone(topology: Topology, node: NodeConfig, name: string): void {
  const { retired } = nodeOf(topology, name);
  if (name === node.name || (subtreeOf(topology, node.name).has(name) && !retired)) {
    throw new TributaryError('forget_own', { node: node.name, forget: name });
  }
}

/** Its rows by table, and whether a stream of it had begun here. */
async function standing(
  topology: Topology,
  node: NodeConfig,
  name: string,
): Promise<{ readonly counts: readonly RowCount[]; readonly begun: boolean }> {
  await using own = openOwn(node.database.read(), `tributary ${node.name} forget`, 0);
  return await own.ask(async (query) => {
    await assertOneFile(query, topology, node);
    const tables = await originTables(query, replicationSet(topology));
    const streams = await query(`select from tributary.stream s where s.provider = $1`, [name]);
    return { counts: await countRows(query, tables, name), begun: streams.rows.length > 0 };
  });
}

/**
 * By another file the parent would take the removal for its own, or this node would have the rows come again.
 * @throws TributaryError forget_file_differs, forget_parent_unseen
 */
async function assertOneFile(query: Query, topology: Topology, node: NodeConfig): Promise<void> {
  const { digest } = topology;
  const own = await query(`select h.topology from tributary.heartbeat h where h.node = $1`, [
    node.name,
  ]);
  const here = (own.rows as readonly { readonly topology: string }[])[0]?.topology;
  if (here !== undefined && here !== digest) {
    throw new TributaryError('forget_file_differs', { node: node.name, file: here, read: digest });
  }
  const parent = parentOf(topology, node);
  if (!parent) {
    return;
  }
  const { rows } = await query(
    `select r.application_name as name
     from pg_catalog.pg_replication_slots s
     join pg_catalog.pg_stat_replication r on r.pid = s.active_pid
     where s.slot_name = $1 and s.database = pg_catalog.current_database()`,
    [`tributary_${parent.name}`],
  );
  const [seen] = rows as readonly { readonly name: string | null }[];
  if (!seen) {
    throw new TributaryError('forget_parent_unseen', { parent: parent.name });
  }
  const file = seen.name?.split(' ').at(-1) ?? null;
  if (file !== digest) {
    throw new TributaryError('forget_file_differs', { node: parent.name, file, read: digest });
  }
}

async function carryOut(
  topology: Topology,
  node: NodeConfig,
  name: string,
): Promise<{ readonly removed: number; readonly streamed: boolean }> {
  try {
    return await forgetOrigin({
      url: node.database.read(),
      applicationName: `tributary ${node.name} forget`,
      tables: replicationSet(topology),
      origin: name,
      by: { node: node.name, actor: `${userName()} at ${hostname()}` },
      check: async (query) => await assertOneFile(query, topology, node),
    });
  } catch (error) {
    throw error instanceof TributaryError ? error : localError(error);
  }
}

/** A slot that is left is dropped by the node it stands on after a day unused. */
async function dropSlot(
  topology: Topology,
  { node, name }: { readonly node: NodeConfig; readonly name: string },
  out: Out,
): Promise<void> {
  const { provider } = nodeOf(topology, name);
  if (!provider || childrenOf(topology, node).some((child) => child.name === name)) {
    return;
  }
  try {
    await using there = openDirect({
      url: provider.read(),
      provider: name,
      subscriber: node.name,
      topologyDigest: topology.digest,
      version,
      answerMs: 10_000,
      log: silent,
    });
    await there.dropSlot();
    out(`${name}: the slot tributary_${node.name} is dropped`);
  } catch (error) {
    const { code } = localError(error);
    out(
      `${name}: the slot tributary_${node.name} could not be dropped (${code}); ${name} drops it itself after a day unused`,
    );
  }
}
