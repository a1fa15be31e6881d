import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { loadTopology } from './load.ts';
import { schemaAt, topologyJsonSchema, topologySchemaFile } from './schema-json.ts';
import type { JsonSchema } from './schema-json.ts';

const folder = new URL('../../topology/', import.meta.url);

void test('the schema for editors in topology/ is the one the program checks with', async () => {
  const file = await readFile(new URL('tributary.schema.json', folder), 'utf8');
  assert.equal(file, topologySchemaFile(), 'run: npm run schema');
});

void test('every field of the schema has a description and an example', () => {
  const walk = (schema: JsonSchema, path: string): void => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      assert.ok(field.description, `${path}.${name} has no description`);
      assert.ok(field.examples?.length, `${path}.${name} has no example`);
      walk(field, `${path}.${name}`);
      walk(field.items ?? {}, `${path}.${name}[]`);
      walk(field.additionalProperties || {}, `${path}.${name}.*`);
    }
  };
  walk(topologyJsonSchema(), '');
});

void test('the schema at a path is found through lists and maps', () => {
  const root = topologyJsonSchema();
  assert.equal(schemaAt(root, ['nodes', 3, 'level']).description, 'one of `levels`');
  assert.match(
    schemaAt(root, ['tables', 0, 'at', 'region', 'columns']).description ?? '',
    /leave nodes of this level/,
  );
  assert.equal(schemaAt(root, ['zone', 'x']), root.properties?.['zone']);
});

void test('the example validates, and tells editors of the schema', async () => {
  const path = new URL('example.yaml', folder);
  const topology = await loadTopology(path.pathname);
  assert.equal(topology.nodes.length, 7);
  assert.deepEqual(
    topology.tables.map((table) => table.name),
    ['facility', 'case_report', 'laboratory_result', 'attachment'],
  );
  assert.match(
    await readFile(path, 'utf8'),
    /^# yaml-language-server: \$schema=tributary\.schema\.json\n/,
  );
});
