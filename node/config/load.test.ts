import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadTopology, parseTopology } from './load.ts';
import { TopologyInvalid, problemLine } from './problem.ts';
import type { Problem } from './problem.ts';

const nation = '  - {name: nation, level: nation, database: "${N}"}\n';
const head = 'version: 1\nlevels: [district, region, nation]\n';

/** A file that is right but for what the case adds: lines 1 and 2 head, 3 tables, 4 nodes, 5 the nation. */
function withNodes(lines: string): string {
  return `${head}tables: []\nnodes:\n${nation}${lines}`;
}

/** Lines 1 and 2 head, 3 nodes, 4 the nation, 5 tables, 6 the first table. */
function withTable(lines: string): string {
  return `${head}nodes:\n${nation}tables:\n  - table: public.report\n${lines}`;
}

interface Case {
  readonly title: string;
  readonly text: string;
  /** line, path, problem, advice: in the order of the report. */
  readonly problems: readonly (readonly [number, string, RegExp, RegExp])[];
}

const region = '{name: north, level: region, parent: nation, database: x, provider: x}';

const cases: readonly Case[] = [
  {
    title: 'an empty file',
    text: '',
    problems: [[1, '', /the file is empty/, /version: 1/]],
  },
  {
    title: 'a file that is no map',
    text: '- a\n',
    problems: [[1, '', /a list, not a group of fields/, /key: value/]],
  },
  {
    title: 'a tab as indentation',
    text: `${head}nodes:\n\t- a\n`,
    problems: [[4, '', /a tab/, /two spaces/]],
  },
  {
    title: 'a key twice',
    text: `${withNodes('')}version: 1\n`,
    problems: [[6, '', /same key/, /remove one/]],
  },
  {
    title: 'an anchor and an alias',
    text: `${head}tables: &t []\nnodes: *t\n`,
    problems: [
      [3, '', /&t/, /write the values out/],
      [4, '', /\*t/, /write the values out/],
    ],
  },
  {
    title: 'two documents',
    text: `${withNodes('')}---\na: 1\n`,
    problems: [[6, '', /second document/, /`---`/]],
  },
  {
    title: 'a bracket that is not closed',
    text: `${head}tables: [\nnodes:\n`,
    problems: [[4, '', /.+/, /.+/]],
  },
  {
    title: 'fields that are missing',
    text: '{}\n',
    problems: [
      [1, 'version', /is missing/, /`version: 1`/],
      [1, 'levels', /is missing/, /\[district, region, nation\]/],
      [1, 'tables', /is missing/, /tables: \[/],
      [1, 'nodes', /is missing/, /nodes: \[/],
    ],
  },
  {
    title: 'fields that do not exist',
    text: `${withNodes('    # nothing\n')}zonne: UTC\nspeed: 3\n`,
    problems: [
      [7, 'zonne', /no field `zonne`/, /^write `zone`$/],
      [8, 'speed', /no field `speed`/, /or remove it/],
    ],
  },
  {
    title: 'another version',
    text: withNodes('').replace('version: 1', 'version: 2'),
    problems: [[1, 'version', /none of the values/, /`version: 1`/]],
  },
  {
    title: 'a time zone that is none, and an offset',
    text: `zone: Africa/Addis_Abeba\n${withNodes('')}`,
    problems: [[1, 'zone', /no time zone/, /zone: Africa\/Addis_Ababa/]],
  },
  {
    title: 'an offset in place of a zone',
    text: `zone: "+03:00"\n${withNodes('')}`,
    problems: [[1, 'zone', /no time zone/, /zone: /]],
  },
  {
    title: 'a heartbeat without unit',
    text: `heartbeat: 30\n${withNodes('')}`,
    problems: [[1, 'heartbeat', /a number, not a text/, /`heartbeat: 30s`/]],
  },
  {
    title: 'a heartbeat of a day',
    text: `heartbeat: 24h\n${withNodes('')}`,
    problems: [[1, 'heartbeat', /between 100ms and 1h/, /30s/]],
  },
  {
    title: 'a value without text',
    text: withTable('    approved:\n'),
    problems: [[7, 'tables[0].approved', /has no value/, /status = 'approved'/]],
  },
  {
    title: 'a table without schema',
    text: withTable('  - table: report\n'),
    problems: [[7, 'tables[1].table', /as it must be/, /public\.case_report/]],
  },
  {
    title: 'a table twice',
    text: withTable('  - table: public.report\n'),
    problems: [[7, 'tables[1].table', /stands here twice/, /remove one/]],
  },
  {
    title: "a table of Tributary's own",
    text: withTable('  - table: tributary.heartbeat\n'),
    problems: [[7, 'tables[1].table', /not the application's/, /by themselves/]],
  },
  {
    title: 'a filter that is none',
    text: withTable("    approved: status = 'a' and total / n > 5\n"),
    problems: [
      [7, 'tables[0].approved', /holds "\/".*\(at character 24\)/, /write only columns, constants/],
    ],
  },
  {
    title: 'a filter over a column that does not travel',
    text: withTable("    approved: status = 'a'\n    columns: [id]\n"),
    problems: [[8, 'tables[0].columns', /`approved` reads `status`/, /write `status` too/]],
  },
  {
    title: 'key and origin that do not travel',
    text: withTable('    key: [code]\n    origin: place\n    columns:\n      - id\n'),
    problems: [
      [9, 'tables[0].columns', /the key needs `code`/, /write `code` too/],
      [9, 'tables[0].columns', /`origin` needs `place`/, /write `place` too/],
    ],
  },
  {
    title: 'levels in `at` that do not exist or that nothing leaves',
    text: withTable('    at:\n      regoin: {columns: [id]}\n      nation: {columns: [id]}\n'),
    problems: [
      [8, 'tables[0].at.regoin', /no level `regoin`/, /write `region`/],
      [9, 'tables[0].at.nation', /nothing leaves the highest level/, /remove/],
    ],
  },
  {
    title: 'columns that leave a level and did not arrive there',
    text: withTable(
      '    columns: [id, a, b]\n    at:\n      district: {columns: [id, a]}\n      region:\n        columns:\n          - id\n          - b\n          - c\n',
    ),
    problems: [
      [13, 'tables[0].at.region.columns[1]', /`b` does not leave level district/, /remove it here/],
      [14, 'tables[0].at.region.columns[2]', /`c` is not in `columns`/, /there too/],
      [14, 'tables[0].at.region.columns[2]', /`c` does not leave level district/, /remove it here/],
    ],
  },
  {
    title: 'a column listed twice',
    text: withTable('    columns: [id, a, id]\n'),
    problems: [[7, 'tables[0].columns[2]', /`id` stands here twice/, /remove one/]],
  },
  {
    title: 'the column that is added by itself',
    text: withTable('    columns: [id, tributary_origin]\n    origin: tributary_origin\n'),
    problems: [
      [7, 'tables[0].columns[1]', /added by itself/, /remove/],
      [8, 'tables[0].origin', /added by itself/, /remove the line/],
    ],
  },
  {
    title: 'identity full with a list of columns',
    text: withTable('    identity: full\n    columns: [id]\n'),
    problems: [[7, 'tables[0].identity', /does not go with a list of columns/, /identity: index/]],
  },
  {
    title: 'one column for soft and deactivate',
    text: withTable('    deletes: {soft: gone}\n    orphans: {deactivate: gone}\n'),
    problems: [
      [8, 'tables[0].orphans.deactivate', /`gone` serves `deletes` already/, /another boolean/],
    ],
  },
  {
    title: 'one column for soft and for the orphans of one foreign key',
    text: withTable(
      '    deletes: {soft: gone}\n    orphans_by_foreign_key:\n      report_fkey: {deactivate: gone}\n',
    ),
    problems: [
      [9, 'tables[0].orphans_by_foreign_key.report_fkey.deactivate', /`gone` serves/, /another/],
    ],
  },
  {
    title: 'flags that travel or are read by the filter',
    text: withTable(
      '    columns: [id, gone]\n    approved: "id = 1"\n    deletes: {soft: gone}\n  - table: public.b\n    approved: active\n    orphans: {deactivate: active}\n',
    ),
    problems: [
      [9, 'tables[0].deletes.soft', /`gone` travels/, /nothing else uses/],
      [12, 'tables[1].orphans.deactivate', /`active` travels/, /nothing else uses/],
    ],
  },
  {
    title: 'misspelt rules',
    text: withTable(
      '    identity: ful\n    orphans: waitt\n    deletes: hrad\n    direction: down\n',
    ),
    problems: [
      [7, 'tables[0].identity', /none of the values/, /write `full`/],
      [8, 'tables[0].orphans', /none of the values/, /write `wait`/],
      [9, 'tables[0].deletes', /none of the values/, /write `hard`/],
      [10, 'tables[0].direction', /none of the values/, /`direction: up`/],
    ],
  },
  {
    title: 'names that are none',
    text: withNodes(
      `  - {name: North, level: region, parent: nation, database: x, provider: x}\n  - {name: ${'a'.repeat(41)}, level: region, parent: nation, database: x, provider: x}\n`,
    ),
    problems: [
      [6, 'nodes[1].name', /as it must be/, /`name: north`.*a to z/],
      [7, 'nodes[2].name', /as it must be/, /at most 40/],
    ],
  },
  {
    title: 'a name twice',
    text: withNodes(`  - ${region}\n  - ${region}\n`),
    problems: [[7, 'nodes[2].name', /`north` stands here twice/, /remove one/]],
  },
  {
    title: 'a level and a parent that do not exist',
    text: withNodes(
      '  - {name: north, level: regin, parent: natoin, database: x, provider: x}\n  - name: awash\n    level: village\n    parent: moon\n    database: x\n    provider: x\n',
    ),
    problems: [
      [6, 'nodes[1].level', /no level `regin`/, /`level: region`/],
      [6, 'nodes[1].parent', /no node `natoin`/, /`parent: nation`/],
      [8, 'nodes[2].level', /no level `village`/, /district, region or nation/],
      [9, 'nodes[2].parent', /no node `moon`/, /nation or north/],
    ],
  },
  {
    title: 'a parent of the same and of a lower level',
    text: withNodes(
      `  - ${region}\n  - {name: south, level: region, parent: north, database: x, provider: x}\n  - {name: awash, level: district, parent: south, database: x, provider: x}\n  - {name: east, level: region, parent: awash, database: x, provider: x}\n`,
    ),
    problems: [
      [7, 'nodes[2].parent', /north is of the same level \(region; this node: region\)/, /higher/],
      [9, 'nodes[4].parent', /awash is of a lower level \(district; this node: region\)/, /higher/],
    ],
  },
  {
    title: 'two roots',
    text: withNodes('  - {name: other, level: nation, database: x}\n'),
    problems: [[6, 'nodes[1]', /other has no parent, and nation has none/, /parent: nation/]],
  },
  {
    title: 'a misspelt parent is told once, and not as a second root',
    text: withNodes('  - {name: n, level: region, parnet: nation, database: x, provider: x}\n'),
    problems: [[6, 'nodes[1].parnet', /no field `parnet`/, /^write `parent`$/]],
  },
  {
    title: 'a circle without a root',
    text: `${head}tables: []\nnodes:\n  - {name: a, level: district, parent: b, database: x, provider: x}\n  - {name: b, level: region, parent: c, database: x, provider: x}\n  - {name: c, level: nation, parent: a, database: x, provider: x}\n`,
    problems: [
      [4, 'nodes', /no node is the root/, /remove `parent`/],
      [5, 'nodes[0].parent', /a circle: a -> b -> c -> a/, /not below/],
      [7, 'nodes[2].parent', /a is of a lower level/, /higher level/],
    ],
  },
  {
    title: 'a node that is its own parent',
    text: withNodes('  - {name: north, level: region, parent: north, database: x, provider: x}\n'),
    problems: [
      [6, 'nodes[1].parent', /north is its own parent/, /not below/],
      [6, 'nodes[1].parent', /same level/, /higher level/],
    ],
  },
  {
    title: 'no way to reach a child',
    text: withNodes('  - {name: north, level: region, parent: nation, database: x}\n'),
    problems: [[6, 'nodes[1].provider', /is missing/, /provider: \$\{NORTH_PROVIDER_URL\}/]],
  },
  {
    title: 'a link that is not in this version',
    text: withNodes(`  - ${region.replace('}', ', link: dial}')}\n`),
    problems: [[6, 'nodes[1].link', /dial is not in this version/, /`link: direct`/]],
  },
  {
    title: 'a child of a retired node',
    text: withNodes(
      `  - ${region.replace('}', ', retired: true}')}\n  - {name: awash, level: district, parent: north, database: x, provider: x}\n`,
    ),
    problems: [[7, 'nodes[2].parent', /north is retired/, /takes over/]],
  },
  {
    title: 'fields that mean nothing at the root',
    text: `${head}tables: []\nnodes:\n  - {name: a, level: nation, database: x, retired: true, adopt: true}\n`,
    problems: [
      [5, 'nodes[0].retired', /root can not be retired/, /remove/],
      [5, 'nodes[0].adopt', /no parent/, /remove/],
    ],
  },
  {
    title: 'numbers, sizes and paths that are none',
    text: withNodes(
      `  - name: north\n    level: region\n    parent: nation\n    database: 5432\n    provider: x\n    http: {port: "80", open: yes}\n    disk: {path: data}\n    outage: {log: 8G}\n    spool: tmp\n    roles: {reader: a, writer: a}\n    probes: [{name: Web}]\n`,
    ),
    problems: [
      [9, 'nodes[1].database', /a number, not a text/, /NORTH_DATABASE_URL/],
      [11, 'nodes[1].http.port', /a text, not a number/, /8080/],
      [11, 'nodes[1].http.open', /a text, not true or false/, /false/],
      [12, 'nodes[1].disk.path', /as it must be/, /absolute path/],
      [13, 'nodes[1].outage.log', /as it must be/, /`log: 8GB`/],
      [14, 'nodes[1].spool', /as it must be/, /absolute path/],
      [15, 'nodes[1].roles', /one role/, /two different/],
      [16, 'nodes[1].probes[0].name', /as it must be/, /`name: web`/],
      [16, 'nodes[1].probes[0].url', /is missing/, /https:/],
    ],
  },
  {
    title: 'placeholders that are none, and where none may be',
    text: withNodes(
      `  - name: north\n    level: region\n    parent: nation\n    title: \${TITLE}\n    database: \${1X}\n    provider: \${file:}\n    probes: [{name: web, url: "\${X"}]\n`,
    ),
    problems: [
      [9, 'nodes[1].title', /holds a placeholder/, /write the value itself/],
      [10, 'nodes[1].database', /placeholder that is none/, /\$\{NAME\}/],
      [11, 'nodes[1].provider', /placeholder that is none/, /\$\{file:\/path\}/],
      [12, 'nodes[1].probes[0].url', /placeholder that is none/, /\$\$\{/],
    ],
  },
];

for (const { title, text, problems } of cases) {
  void test(`${title}: every problem with its line and what to write`, () => {
    const found = problemsOf(text);
    assert.deepEqual(
      found.map(({ line, path }) => [line, path]),
      problems.map(([line, path]) => [line, path]),
      found.map(problemLine).join('\n'),
    );
    for (const [index, [, , problem, instead]] of problems.entries()) {
      assert.match(found[index]?.problem ?? '', problem);
      assert.match(found[index]?.instead ?? '', instead);
    }
  });
}

void test('problems of YAML, shape and meaning come together', () => {
  const text = `${withTable('    identity: ful\n    columns: [id, id]\n')}versoin: 1\nversion: 1\n`;
  assert.deepEqual(
    problemsOf(text).map(({ line }) => line),
    [7, 8, 9, 10],
  );
});

void test('no problem shows what stands in a secret', () => {
  const text = withNodes(
    '  - {name: north, level: region, parent: nation, database: "hunter2${", provider: [hunter2]}\n',
  );
  assert.doesNotMatch(problemsOf(text).map(problemLine).join('\n'), /hunter2/);
});

void test('what the file leaves out has its default', () => {
  const topology = parseTopology(withTable(''), '/etc/tributary/a.yaml');
  assert.equal(topology.zone, 'UTC');
  assert.equal(topology.heartbeatMs, 30_000);
  const [table] = topology.tables;
  assert.deepEqual(table, {
    schema: 'public',
    name: 'report',
    key: null,
    approved: null,
    columns: null,
    at: new Map(),
    identity: 'index',
    carry: 'trigger',
    origin: null,
    orphans: { rule: 'wait' },
    orphansByForeignKey: new Map(),
    deletes: { rule: 'hard' },
  });
  const { database, ...node } = topology.nodes[0] ?? assert.fail();
  assert.equal(database.template, '${N}');
  assert.equal(database.line, 4);
  assert.deepEqual(node, {
    name: 'nation',
    title: 'nation',
    level: 'nation',
    parent: null,
    link: 'direct',
    provider: null,
    roles: { reader: 'tributary_reader', writer: 'tributary_writer' },
    http: { host: '127.0.0.1', port: 8080, open: false },
    disk: null,
    probes: [],
    outage: null,
    spool: null,
    retired: false,
    adopt: false,
  });
});

void test('what the file says is read with its units', () => {
  const topology = parseTopology(
    `heartbeat: 5m\n${withTable(
      '    approved: STATUS=1\n    orphans: {deactivate: off}\n    orphans_by_foreign_key: {k: keep}\n    deletes: {soft: gone}\n    carry: none\n',
    )}`.replace('database: "${N}"', 'database: x, outage: {log: 2GB}, http: {port: 0}'),
    'a.yaml',
  );
  assert.equal(topology.heartbeatMs, 300_000);
  assert.equal(topology.tables[0]?.approved?.sql, 'status = 1');
  assert.deepEqual(topology.tables[0]?.orphans, { rule: 'deactivate', column: 'off' });
  assert.deepEqual(topology.tables[0]?.orphansByForeignKey, new Map([['k', { rule: 'keep' }]]));
  assert.deepEqual(topology.tables[0]?.deletes, { rule: 'soft', column: 'gone' });
  assert.equal(topology.tables[0]?.carry, 'none');
  assert.deepEqual(topology.nodes[0]?.outage, { logBytes: 2 ** 31 });
  assert.deepEqual(topology.nodes[0]?.http, { host: '127.0.0.1', port: 0, open: false });
});

void test('a file on disk is read whole, its bytes make the digest, and no secret is read', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-load-'));
  t.after(async () => {
    await rm(directory, { recursive: true });
  });
  const file = join(directory, 'topology.yaml');
  const bytes = `\uFEFF${withNodes('    # ü\r\n')}`;
  await writeFile(file, bytes);
  const topology = await loadTopology(file);
  assert.equal(topology.file, file);
  assert.equal(topology.digest, createHash('sha256').update(bytes).digest('hex').slice(0, 12));

  await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xff]));
  await assert.rejects(loadTopology(file), (error) => /UTF-8/.test(only(error).problem));
  await assert.rejects(loadTopology(directory), (error) => /EISDIR/.test(only(error).problem));
  await assert.rejects(
    loadTopology(join(directory, 'none.yaml')),
    (error) =>
      /no such file/.test(only(error).problem) && /TRIBUTARY_TOPOLOGY/.test(only(error).instead),
  );
});

function problemsOf(text: string): readonly Problem[] {
  try {
    parseTopology(text, 'test.yaml');
  } catch (error) {
    assert.ok(error instanceof TopologyInvalid, String(error));
    assert.equal(error.code, 'topology_invalid');
    assert.ok(error.problems.every((problem) => problem.file === 'test.yaml'));
    return error.problems;
  }
  return assert.fail('the file was accepted');
}

function only(error: unknown): Problem {
  assert.ok(error instanceof TopologyInvalid);
  assert.equal(error.problems.length, 1);
  return error.problems[0] ?? assert.fail();
}
