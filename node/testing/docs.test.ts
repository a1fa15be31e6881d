import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { errorsPage } from '../cli/errors-page.ts';
import { metricsPage } from '../monitor/metrics-page.ts';

void test('docs/errors.md is what `npm run docs` writes', async () => {
  assert.equal(await readFile('docs/errors.md', 'utf8'), errorsPage());
});

void test('docs/metrics.md is what `npm run docs` writes', async () => {
  assert.equal(await readFile('docs/metrics.md', 'utf8'), metricsPage());
});

void test('every doubt has its line in docs/doubts.md', async () => {
  const source = await readFile('node/provider/provider.ts', 'utf8');
  const union = /export type DoubtName =([^;]+);/.exec(source)?.[1] ?? '';
  const names = [...union.matchAll(/'([a-z_]+)'/g)].map((match) => match[1]);
  const page = await readFile('docs/doubts.md', 'utf8');
  assert.ok(names.length >= 11);
  assert.deepEqual(
    names.filter((name) => !page.includes(`| \`${name}\` |`)),
    [],
  );
});

void test('every file that README and ARCHITECTURE name exists', async () => {
  for (const document of ['README.md', 'ARCHITECTURE.md', 'poc/README.md']) {
    const text = await readFile(document, 'utf8').catch(() => '');
    const named = [
      ...text.matchAll(/`((?:node|poc|docs|topology|migrations|monitoring)\/[\w./-]+\.\w+)`/g),
      ...text.matchAll(/\]\(([\w./-]+\.\w+)\)/g),
    ].map((match) => match[1] ?? '');
    assert.deepEqual(
      named.filter((path) => !existsSync(path)),
      [],
      document,
    );
  }
});
