import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadTopology, parseTopology } from './load.ts';
import { TopologyInvalid, problemLine } from './problem.ts';
import type { Problem } from './problem.ts';
import { problemsOf, withNodes, withTable } from '../testing/malformed.ts';

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
    )}`.replace('database: "${N}"', 'database: x, outage: {log: 2GB}, http: {port: 8081}'),
    'a.yaml',
  );
  assert.equal(topology.heartbeatMs, 300_000);
  assert.equal(topology.tables[0]?.approved?.sql, 'status = 1');
  assert.deepEqual(topology.tables[0]?.orphans, { rule: 'deactivate', column: 'off' });
  assert.deepEqual(topology.tables[0]?.orphansByForeignKey, new Map([['k', { rule: 'keep' }]]));
  assert.deepEqual(topology.tables[0]?.deletes, { rule: 'soft', column: 'gone' });
  assert.equal(topology.tables[0]?.carry, 'none');
  assert.deepEqual(topology.nodes[0]?.outage, { logBytes: 2 ** 31 });
  assert.deepEqual(topology.nodes[0]?.http, { host: '127.0.0.1', port: 8081, open: false });
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

void test('a file broken in any way is reported with lines and advice, never by another failure', async () => {
  const example = new URL('../../topology/example.yaml', import.meta.url);
  const lines = (await readFile(example, 'utf8')).split('\n');
  const index = fc.nat(lines.length - 1);
  const bit = fc.constantFrom(
    '',
    ': ',
    '- ',
    '[',
    '}',
    '"',
    '&a',
    '*a',
    '\t',
    '${',
    '!x',
    '<<: ',
    '? ',
    '|',
    '~',
    '  ',
  );
  const edit = fc.tuple(index, fc.nat(40), fc.nat(6), bit);
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const broken = [...lines];
      for (const [line, start, cut, put] of edits) {
        const old = broken[line] ?? '';
        broken[line] = old.slice(0, start) + put + old.slice(start + cut);
      }
      try {
        parseTopology(broken.join('\n'), 'test.yaml');
      } catch (error) {
        assert.ok(error instanceof TopologyInvalid, String(error));
        assert.ok(error.problems.length > 0);
        for (const { line, problem, instead } of error.problems) {
          assert.ok(line >= 1 && line <= broken.length && problem !== '' && instead !== '');
        }
      }
    }),
    { numRuns: 300 },
  );
});

function only(error: unknown): Problem {
  assert.ok(error instanceof TopologyInvalid);
  assert.equal(error.problems.length, 1);
  return error.problems[0] ?? assert.fail();
}

void test('the address of an application is read as it stands: it need not be of PostgreSQL', () => {
  const url = 'https://dashboard.example/health';
  const text = `version: 1
zone: UTC
heartbeat: 30s
levels: [nation]
tables:
  - table: public.facility
    key: [code]
nodes:
  - name: nation
    level: nation
    database: \${NATION_DATABASE_URL}
    probes: [{name: dashboard, url: '${url}'}]
`;
  const [nation] = parseTopology(text, 'topology.yaml').nodes;
  assert.equal(nation?.probes[0]?.url.read(), url);
});
