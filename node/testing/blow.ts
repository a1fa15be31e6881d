/**
 * One blow against a test tree: kill -9 of a node's process or of its PostgreSQL, or a link cut at a random byte; and
 * whether it landed while the subscriber it hurts had a local transaction open or a part queued.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { TreeNode } from './tree-node.ts';
import type { Tree } from './tree.ts';

export type BlowKind = 'process' | 'postgres' | 'link';

export interface Blow {
  readonly kind: BlowKind;
  readonly node: string;
}

export interface Landed extends Blow {
  /** Seen at the victim, which stood still while it was asked. */
  readonly busy: boolean;
}

export function chooseBlow(tree: Tree, random: Random): Blow {
  const kind = random.weighted<BlowKind>({ process: 5, postgres: 4, link: 5 });
  // A leaf applies nothing: it is hurt, but less often than those that have something to lose.
  const inner = tree.nodes.filter(({ children }) => children.length > 0);
  const pool = kind === 'link' ? tree.nodes.filter(({ parent }) => parent !== null) : inner;
  const leaf = kind !== 'link' && random.chance(0.2);
  return { kind, node: random.pick(leaf ? tree.leaves : pool).name };
}

/** Resolves when the blow has landed; `mend` brings the victim back. */
export async function strike(tree: Tree, blow: Blow, random: Random): Promise<Landed> {
  const node = tree.node(blow.node);
  if (blow.kind === 'link') {
    return { ...blow, busy: await cutLink(tree, node, random) };
  }
  const busy = await haltBusy(tree, node, { random });
  if (blow.kind === 'process') {
    await tree.kill9(node.name);
  } else {
    await node.database.cluster.kill();
    tree.process(node.name).signal('SIGCONT');
  }
  return { ...blow, busy };
}

/** Idempotent. */
export async function mend(tree: Tree, blow: Blow): Promise<void> {
  const { database } = tree.node(blow.node);
  if (blow.kind === 'postgres' && !database.cluster.running) {
    await database.cluster.start();
  }
  if (blow.kind === 'process') {
    tree.start(blow.node);
  }
}

/** Half of them at a random byte, half at the byte that is on its way when the parent has a transaction open. */
async function cutLink(tree: Tree, child: TreeNode, random: Random): Promise<boolean> {
  const parent = tree.node(child.parent ?? '');
  const link = tree.link(child.name);
  const process = tree.process(parent.name);
  if (random.chance(0.5)) {
    const busy = await haltBusy(tree, parent, { random, child: child.name });
    link.cut();
    process.signal('SIGCONT');
    return busy;
  }
  const cut = link.cutAfter(random.below(80_000)).then(() => true);
  const happened = await Promise.race([cut, pause(2000).then(() => false)]);
  if (!happened) {
    link.heal();
    link.cut();
  }
  process.signal('SIGSTOP');
  const busy = await transactionOpen(parent, child.name);
  process.signal('SIGCONT');
  return busy;
}

interface Moment {
  readonly random: Random;
  /** Applying from this child; absent: from any. */
  readonly child?: string;
}

/** Stops the node's process at a moment when it applies, if such a moment comes soon; it stays stopped. */
async function haltBusy(tree: Tree, node: TreeNode, { random, child }: Moment): Promise<boolean> {
  const process = tree.process(node.name);
  if (node.children.length === 0) {
    await pause(random.below(300));
    process.signal('SIGSTOP');
    return false;
  }
  for (let attempt = 0; ; attempt += 1) {
    await pause(random.below(40));
    const queued = await queuedBytes(tree, node, child);
    process.signal('SIGSTOP');
    if (queued > 0 || (await transactionOpen(node, child)) || attempt === 40) {
      return queued > 0 || attempt < 40;
    }
    process.signal('SIGCONT');
  }
}

/** Whether a session that applies (from this child) has a transaction open. */
async function transactionOpen(node: TreeNode, child = ''): Promise<boolean> {
  const rows = await node.database
    .query(
      `select from pg_stat_activity
       where application_name like $1 and xact_start is not null and backend_type = 'client backend'`,
      [`tributary ${node.name} apply ${child}%`],
    )
    .catch(() => []);
  return rows.length > 0;
}

interface Queues {
  readonly streams?: readonly {
    readonly provider: string;
    readonly queuedBytes: number | null;
  }[];
}

async function queuedBytes(tree: Tree, node: TreeNode, child?: string): Promise<number> {
  const status = await tree.status<Queues>(node.name).catch((): Queues => ({}));
  return (status.streams ?? [])
    .filter(({ provider }) => child === undefined || provider === child)
    .reduce((sum, stream) => sum + (stream.queuedBytes ?? 0), 0);
}
