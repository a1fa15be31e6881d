import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { breaches, importsOf } from './imports.ts';

const root = join(import.meta.dirname, '..', '..');

void test('rooms import only in the directions they may', async () => {
  const sources = [];
  for await (const path of glob(['{node,poc,monitoring,bench}/**/*.ts'], { cwd: root })) {
    sources.push({ path, text: await readFile(join(root, path), 'utf8') });
  }
  assert.ok(sources.length > 20);
  assert.deepEqual(breaches(sources), []);
});

const refused: readonly (readonly [path: string, text: string, breach: RegExp])[] = [
  ['node/pgoutput/a.ts', `import { b } from '../database/b.ts';`, /pgoutput may not import/],
  ['node/pgoutput/a.ts', `import type { Log } from '../log.ts';`, /pgoutput may not import/],
  ['node/provider/a.ts', `import { b } from '../apply/b.ts';`, /provider may not import/],
  ['node/provider/a.ts', `import { load } from '../config/load.ts';`, /provider may not import/],
  ['node/apply/a.ts', `export { b } from '../provider/b.ts';`, /apply may not import/],
  ['node/apply/a.ts', `await import('../provider/b.ts');`, /apply may not import/],
  ['node/apply/a.ts', `import {\n  b,\n  type C,\n} from '../supervise/b.ts';`, /apply may not/],
  ['node/publish/a.ts', `import { b } from '../pgoutput/part.ts';`, /publish may not import/],
  ['node/monitor/a.ts', `import { b } from '../supervise/b.ts';`, /monitor may not import/],
  ['node/http/a.ts', `import { b } from '../monitor/b.ts';`, /http may not import/],
  ['node/main.ts', `import { until } from './testing/until.ts';`, /main may not import/],
  ['node/cli/a.ts', `import { b } from '../../poc/b.ts';`, /cli may not import/],
  ['node/new/a.ts', `import { b } from '../apply/b.ts';`, /new may not import/],
  ['monitoring/a.ts', `import { b } from '../node/apply/b.ts';`, /monitoring may not import/],
  ['poc/a.ts', `import type { Topology } from '../node/config/model.ts';`, /poc may not import/],
  ['node/apply/a.ts', `import { A } from 'pg-logical-replication';`, /only provider imports/],
  ['node/http/a.ts', `import prom from 'prom-client';`, /only monitor imports/],
  ['node/cli/a.ts', `const x = process.env['X'];`, /only config reads the environment/],
  ['node/cli/a.ts', `process.on('SIGINT', stop);`, /only main.ts handles signals/],
];

for (const [path, text, breach] of refused) {
  void test(`refused in ${path}: ${text.replaceAll(/\s+/g, ' ')}`, () => {
    const found = breaches([{ path, text }]);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', breach);
  });
}

void test('rooms that import each other are a circle, even by types alone', () => {
  const found = breaches([
    { path: 'node/supervise/a.ts', text: `import type { M } from '../monitor/m.ts';` },
    { path: 'node/monitor/a.ts', text: `import type { S } from '../supervise/s.ts';` },
  ]);
  assert.ok(found.includes('rooms in a circle: supervise -> monitor -> supervise'));
});

void test('what is allowed is not refused', () => {
  const allowed = [
    { path: 'node/apply/a.ts', text: `import { TributaryError } from '../errors.ts';` },
    { path: 'node/apply/a.test.ts', text: `import { until } from '../testing/until.ts';` },
    { path: 'node/monitor/a.ts', text: `import type { W } from '../supervise/worker.ts';` },
    { path: 'node/publish/a.ts', text: `import { parseLsn } from '../pgoutput/lsn.ts';` },
    {
      path: 'node/cli/a.ts',
      text: `// process.env is read by config\nimport { x } from '../http/x.ts';`,
    },
    { path: 'node/config/secret.ts', text: `const value = process.env[name];` },
    { path: 'node/testing/run.ts', text: `process.on('SIGINT', stop);` },
    {
      path: 'node/main.ts',
      text: `process.on('SIGINT', stop);\nimport { run } from './cli/run.ts';`,
    },
  ];
  assert.deepEqual(breaches(allowed), []);
});

void test('an import line is found in every form', () => {
  const text = [
    `import a from 'a';`,
    `import * as b from 'b';`,
    `import 'c';`,
    `import d, { type D } from "d";`,
    `import type { E } from 'e';`,
    `export * from 'f';`,
    `export type { G } from 'g';`,
    `import {\n  h,\n} from 'h';`,
    `const i = await import('i');`,
    `export const j = 'j';`,
  ].join('\n');
  assert.equal(
    importsOf(text)
      .map(({ target, typeOnly }) => (typeOnly ? target.toUpperCase() : target))
      .join(''),
    'abcdEfGhi',
  );
});

void test('the lock file names no place a package came from', async () => {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  assert.ok(!lock.includes('"resolved"'));
});

void test('no committed file holds a path of the machine it was written on', async () => {
  const holders: string[] = [];
  for (const path of await committed()) {
    const text = await readFile(join(root, path), 'utf8');
    const place = /(?:^|[\s'"`(=:])\/(?:work|home|root|Users)\/[\w.]+/m.exec(text);
    if (place && !/\.lock$|package-lock/.test(path)) {
      holders.push(`${path}: ${place[0].trim()}`);
    }
  }
  assert.deepEqual(holders, []);
});

/** What git knows, or every file where the tree is an archive. */
async function committed(): Promise<string[]> {
  if (existsSync(join(root, '.git'))) {
    const { stdout } = await promisify(execFile)('git', ['ls-files', '-z'], { cwd: root });
    const known = stdout.split('\0').filter((path) => path !== '');
    return known.filter((path) => existsSync(join(root, path)));
  }
  const found: string[] = [];
  for await (const path of glob('**/*', { cwd: root, exclude: ['node_modules', '.git'] })) {
    if ((await stat(join(root, path))).isFile()) {
      found.push(path);
    }
  }
  return found;
}
