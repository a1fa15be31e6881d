import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { topologyCommand } from './topology.ts';

const example = new URL('../../topology/example.yaml', import.meta.url).pathname;

void test('validate says that a file is valid and exits 0', async () => {
  const { code, lines } = await run('validate', example);
  assert.equal(code, 0);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /example\.yaml: valid, 7 nodes, 4 tables, digest [0-9a-f]{12}$/);
});

void test('print shows the tree and what travels, and no secret', async () => {
  const { code, lines } = await run('print', example);
  assert.equal(code, 0);
  assert.ok(lines.includes('nation "National Data Centre" (nation)'));
  assert.ok(lines.includes('  north "Northern Region" (region)'));
  assert.ok(lines.includes('    awash "Awash District" (district)'));
  assert.ok(lines.includes("  approved: status = 'approved'"));
  assert.ok(lines.some((line) => /columns from a region: id/.test(line) && !/patient/.test(line)));
  assert.doesNotMatch(lines.join('\n'), /\$\{/);
});

void test('both list every problem as file:line: path: problem; advice and exit 2', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-cli-'));
  t.after(async () => {
    await rm(directory, { recursive: true });
  });
  const file = join(directory, 'bad.yaml');
  await writeFile(
    file,
    'version: 1\nlevels: [a]\ntables: []\nnodes:\n  - {name: x, levl: a, database: y}\n  - {name: x}\n',
  );
  for (const verb of ['validate', 'print'] as const) {
    const { code, lines } = await run(verb, file);
    assert.equal(code, 2);
    assert.ok(
      lines.includes(`${file}:5: nodes[0].levl: there is no field \`levl\` here; write \`level\``),
    );
    assert.ok(
      lines.includes(`${file}:6: nodes[1].name: \`x\` stands here twice; remove one of the two`),
    );
    assert.match(lines.at(-1) ?? '', /: \d+ problems$/);
    assert.ok(lines.slice(0, -1).every((line) => /^.+\.yaml:\d+: .+; .+$/.test(line)));
  }
});

void test('a file that is not there is a problem too, without a stack trace', async () => {
  const { code, lines } = await run('validate', '/nowhere/topology.yaml');
  assert.equal(code, 2);
  assert.match(
    lines[0] ?? '',
    /^\/nowhere\/topology\.yaml:1: there is no such file; write its path/,
  );
});

async function run(
  verb: 'validate' | 'print',
  file: string,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const code = await topologyCommand({ verb, file }, (line) => lines.push(line));
  return { code, lines };
}
