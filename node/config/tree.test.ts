import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { replicationSet } from './built-in.ts';
import { parseTopology } from './load.ts';
import type { NodeConfig, Topology } from './model.ts';
import {
  childrenOf,
  columnsLeaving,
  isLeaf,
  nodeOf,
  parentOf,
  routeOf,
  scopeOf,
  subtreeOf,
} from './tree.ts';

const topology = parseTopology(
  `version: 1
levels: [district, region, nation]
tables:
  - table: public.report
    columns: [id, a, b]
    at: {region: {columns: [id, a]}}
nodes:
  - {name: nation, level: nation, database: x}
  - {name: north, level: region, parent: nation, database: x, provider: x}
  - {name: south, level: region, parent: nation, database: x, provider: x}
  - {name: awash, level: district, parent: north, database: x, provider: x}
  - {name: bahir, level: district, parent: north, database: x, provider: x, retired: true}
  - {name: chamo, level: district, parent: south, database: x, provider: x, retired: true}
  - {name: port, level: district, parent: nation, database: x, provider: x}
`,
  'test.yaml',
);

void test('a node is found by its name, and a misspelt name is answered with the nearest', () => {
  assert.equal(nodeOf(topology, 'awash').level, 'district');
  assert.throws(
    () => nodeOf(topology, 'awahs'),
    (error) =>
      error instanceof TributaryError &&
      error.code === 'node_unknown' &&
      error.context['nearest'] === 'awash' &&
      error.policy === 'configuration',
  );
});

void test('parent and children are neighbours; a retired child has no stream', () => {
  const north = nodeOf(topology, 'north');
  assert.equal(parentOf(topology, north)?.name, 'nation');
  assert.equal(parentOf(topology, nodeOf(topology, 'nation')), null);
  assert.deepEqual(names(childrenOf(topology, north)), ['awash']);
  assert.deepEqual(names(childrenOf(topology, nodeOf(topology, 'nation'))), [
    'north',
    'south',
    'port',
  ]);
});

void test('a subtree holds the node itself and retired ones, whose rows stay', () => {
  assert.deepEqual([...subtreeOf(topology, 'north')].toSorted(), ['awash', 'bahir', 'north']);
  assert.equal(subtreeOf(topology, 'nation').size, 7);
});

void test('every origin below a node comes by one child', () => {
  assert.deepEqual(Object.fromEntries(routeOf(topology, nodeOf(topology, 'nation'))), {
    north: 'north',
    awash: 'north',
    bahir: 'north',
    south: 'south',
    chamo: 'south',
    port: 'port',
  });
  assert.equal(routeOf(topology, nodeOf(topology, 'port')).size, 0);
});

void test('a stream may touch the subtree of its provider and nothing else', () => {
  const scope = scopeOf(topology, 'nation', 'north');
  assert.deepEqual([...scope.subtree].toSorted(), ['awash', 'bahir', 'north']);
  assert.deepEqual([...scope.elsewhere].toSorted(), ['chamo', 'nation', 'port', 'south']);
  assert.equal(scope.providerIsLeaf, false);
  assert.equal(scopeOf(topology, 'nation', 'port').providerIsLeaf, true);
  assert.throws(() => scopeOf(topology, 'south', 'north'), TributaryError);
});

void test('a node that still holds rows of retired children is no leaf', () => {
  assert.equal(isLeaf(topology, nodeOf(topology, 'south')), false);
  assert.equal(isLeaf(topology, nodeOf(topology, 'chamo')), true);
});

void test('what a level keeps back leaves no higher level either', () => {
  const table = tableOf(topology);
  assert.deepEqual(columnsLeaving(table, 'district'), ['id', 'a', 'b']);
  assert.deepEqual(columnsLeaving(table, 'region'), ['id', 'a']);
  const lower = tableOf(
    parseTopology(
      `version: 1
levels: [post, district, nation]
tables: [{table: public.report, at: {post: {columns: [id]}}}]
nodes: [{name: nation, level: nation, database: x}]
`,
      'test.yaml',
    ),
  );
  assert.deepEqual(columnsLeaving(lower, 'district'), ['id']);
});

void test('heartbeats and audit are part of every replication set', () => {
  assert.deepEqual(
    replicationSet(topology).map(({ schema, name, key, origin, approved }) => [
      `${schema}.${name}`,
      key,
      origin,
      approved,
    ]),
    [
      ['tributary.heartbeat', ['node'], 'node', null],
      ['tributary.audit', ['id'], 'node', null],
      ['public.report', null, null, null],
    ],
  );
});

function names(nodes: readonly NodeConfig[]): string[] {
  return nodes.map((node) => node.name);
}

function tableOf({ tables: [table] }: Topology): Topology['tables'][number] {
  assert.ok(table);
  return table;
}
