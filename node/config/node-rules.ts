/** What the nodes mean together: one tree, levels that rise, and the fields that go with a place in it. */
import { complainOfRepeats } from './complaint.ts';
import type { Complain } from './complaint.ts';
import type { Draft, DraftNode } from './draft.ts';
import { brokenPlaceholder } from './secret.ts';
import { nearest, oneOf } from './suggest.ts';
import type { Path } from './yaml-source.ts';

export function checkNodes(draft: Draft, complain: Complain): void {
  const { nodes, levels } = draft;
  complainOfRepeats(
    nodes.map((node) => node.name),
    (index) => ['nodes', index, 'name'],
    complain,
  );
  complainOfRepeats(levels ?? [], (index) => ['levels', index], complain);
  checkRoots(nodes, complain);
  checkCycles(nodes, complain);
  for (const [index, node] of nodes.entries()) {
    const here: Complain = (path, problem, instead) => {
      complain(['nodes', index, ...path], problem, instead);
    };
    checkLevel(node, levels, here);
    checkParent(node, draft, here);
    checkFields(node, here);
    checkSecrets(node, here);
  }
}

function checkRoots(nodes: readonly DraftNode[], complain: Complain): void {
  const roots = [...nodes.entries()].filter(([, node]) => !('parent' in node));
  const [first, ...more] = roots;
  for (const [index, node] of more) {
    const name = first?.[1].name ?? 'the first';
    complain(
      ['nodes', index],
      `${node.name ?? 'this node'} has no parent, and ${name} has none either`,
      `write \`parent: ${name}\`: a tree has one root`,
    );
  }
  if (roots.length === 0 && nodes.length > 0) {
    complain(['nodes'], 'no node is the root', 'remove `parent` of the highest node');
  }
}

/** Each cycle once, at its first node in the file. */
function checkCycles(nodes: readonly DraftNode[], complain: Complain): void {
  const parents = new Map(nodes.map((node) => [node.name, node.parent]));
  const told = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    const way: string[] = [];
    let name = node.name;
    while (name !== undefined && !way.includes(name)) {
      way.push(name);
      name = parents.get(name);
    }
    if (name !== undefined && name === node.name && !told.has(name)) {
      way.forEach((passed) => told.add(passed));
      const problem =
        way.length === 1
          ? `${name} is its own parent`
          : `the parents go in a circle: ${[...way, name].join(' -> ')}`;
      complain(['nodes', index, 'parent'], problem, 'write a parent that is not below this node');
    }
  }
}

function checkLevel(
  node: DraftNode,
  levels: readonly string[] | undefined,
  complain: Complain,
): void {
  if (node.level !== undefined && levels !== undefined && !levels.includes(node.level)) {
    const meant = nearest(node.level, levels);
    const instead = meant === null ? `write ${oneOf(levels)}` : `write \`level: ${meant}\``;
    complain(['level'], `there is no level \`${node.level}\``, instead);
  }
}

function checkParent(node: DraftNode, { nodes, levels }: Draft, complain: Complain): void {
  if (node.parent === undefined) {
    return;
  }
  const parent = nodes.find((candidate) => candidate.name === node.parent);
  if (parent === undefined) {
    const names = nodes.flatMap((other) => (other.name === undefined ? [] : [other.name]));
    const others = names.filter((name) => name !== node.name);
    const meant = nearest(node.parent, others);
    const instead = meant === null ? `write ${oneOf(others)}` : `write \`parent: ${meant}\``;
    complain(['parent'], `there is no node \`${node.parent}\``, instead);
    return;
  }
  if (parent.retired === true && node.retired !== true) {
    const instead = 'write the parent that takes over, or `retired: true` here too';
    complain(['parent'], `${node.parent} is retired`, instead);
  }
  const [own, above] = [node, parent].map((each) => levels?.indexOf(each.level ?? '') ?? -1);
  if (own !== undefined && above !== undefined && own >= 0 && above >= 0 && above <= own) {
    const relation = above === own ? 'of the same level' : 'of a lower level';
    complain(
      ['parent'],
      `${node.parent} is ${relation} (${parent.level}; this node: ${node.level})`,
      'write a parent of a higher level, or correct `level` of one of the two',
    );
  }
}

function checkFields(node: DraftNode, complain: Complain): void {
  const isRoot = !('parent' in node);
  if (!isRoot && !('provider' in node)) {
    complain(
      ['provider'],
      'is missing',
      `write \`provider: \${${(node.name ?? 'node').toUpperCase()}_PROVIDER_URL}\`: how the parent reaches this node's PostgreSQL`,
    );
  }
  if (isRoot && node.retired === true) {
    complain(['retired'], 'the root can not be retired', 'remove the line');
  }
  if (isRoot && node.adopt === true) {
    complain(['adopt'], 'the root has no parent to take rows from', 'remove the line');
  }
  if (node.link === 'dial') {
    complain(['link'], 'dial is not in this version', 'write `link: direct`');
  }
  if (node.roles !== undefined && node.roles.reader === node.roles.writer) {
    complain(['roles'], 'reader and writer are one role', 'write two different roles');
  }
  for (const [index, { url }] of (node.probes ?? []).entries()) {
    if (
      url !== undefined &&
      !/^(?:\$\{|https?:\/\/|postgres(?:ql)?:\/\/|t(?:cp|ls):\/\/[^/]+:\d)/.test(url)
    ) {
      complain(
        ['probes', index, 'url'],
        'is no address that can be asked',
        'write `https://...`, `http://...`, `tcp://HOST:PORT`, `tls://HOST:PORT` or `postgres://...`',
      );
    }
  }
  complainOfRepeats(
    (node.probes ?? []).map((probe) => probe.name),
    (index) => ['probes', index, 'name'],
    complain,
  );
}

function checkSecrets(node: DraftNode, complain: Complain): void {
  const probes = (node.probes ?? []).map(({ url }, index): [Path, string | undefined] => [
    ['probes', index, 'url'],
    url,
  ]);
  const places: [Path, string | undefined][] = [
    [['database'], node.database],
    [['provider'], node.provider],
    ...probes,
  ];
  for (const [path, template] of places) {
    const broken = template === undefined ? null : brokenPlaceholder(template);
    if (broken !== null) {
      const instead = 'write `${NAME}` or `${file:/path}`; `$${` stands for `${` itself';
      complain(path, 'holds a placeholder that is none', instead);
    }
  }
}
