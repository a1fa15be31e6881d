/** Questions about the tree of nodes; pure. A retired node keeps its place: its rows stay and keep their origin. */
import { TributaryError } from '../errors.ts';
import type { NodeConfig, ReplicatedTable, StreamScope, Topology } from './model.ts';
import { nearest } from './suggest.ts';

/** @throws TributaryError node_unknown. */
export function nodeOf(topology: Topology, name: string): NodeConfig {
  const node = topology.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) {
    const names = topology.nodes.map((candidate) => candidate.name);
    throw new TributaryError('node_unknown', {
      node: name,
      file: topology.file,
      nearest: nearest(name, names),
    });
  }
  return node;
}

/** null: the node is the root. */
export function parentOf(topology: Topology, node: NodeConfig): NodeConfig | null {
  return node.parent === null ? null : nodeOf(topology, node.parent);
}

/** The children that are not retired: those a node has a stream from. In the order of the file. */
export function childrenOf(topology: Topology, node: NodeConfig): readonly NodeConfig[] {
  return everyChild(topology, node.name).filter((child) => !child.retired);
}

/** The node and all below it, retired ones included. */
export function subtreeOf(topology: Topology, name: string): ReadonlySet<string> {
  const names = new Set([name]);
  for (const above of names) {
    for (const child of everyChild(topology, above)) {
      names.add(child.name);
    }
  }
  return names;
}

/** For every origin below the node, the child it comes by. A retired child's own subtree is included. */
export function routeOf(topology: Topology, node: NodeConfig): ReadonlyMap<string, string> {
  const route = new Map<string, string>();
  for (const child of everyChild(topology, node.name)) {
    for (const origin of subtreeOf(topology, child.name)) {
      route.set(origin, child.name);
    }
  }
  return route;
}

/** What the stream from `provider` may touch at `subscriber`. @throws TributaryError internal, if it is no child. */
export function scopeOf(topology: Topology, subscriber: string, provider: string): StreamScope {
  const child = nodeOf(topology, provider);
  if (child.parent !== subscriber) {
    throw new TributaryError('internal', { subscriber, provider, parent: child.parent });
  }
  const subtree = subtreeOf(topology, provider);
  const names = topology.nodes.map((node) => node.name);
  return {
    provider,
    providerIsLeaf: isLeaf(topology, child),
    subtree,
    elsewhere: new Set(names.filter((name) => !subtree.has(name))),
    awaited: new Set(),
    adopts: child.adopt ? subscriber : null,
  };
}

/** Whether every row at the node is its own. A node whose children are all retired still holds their rows: no leaf. */
export function isLeaf(topology: Topology, node: NodeConfig): boolean {
  return everyChild(topology, node.name).length === 0;
}

/** The columns that leave nodes of a level; null: every column. What a lower level keeps back, no higher level has. */
export function columnsLeaving(table: ReplicatedTable, level: string): readonly string[] | null {
  return table.at.get(level)?.columns ?? table.columns;
}

function everyChild(topology: Topology, name: string): readonly NodeConfig[] {
  return topology.nodes.filter((node) => node.parent === name);
}
