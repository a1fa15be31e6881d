import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { crashPoints, crashPointsOf, withCrashPoints } from './crash-points.ts';
import { stories } from './crash-stories.ts';
import { CrashSwitch } from './crash-switch.ts';

const source = (text: string): { path: string; text: string } => ({ path: 'node/a.ts', text });

void test('every crash point of the source has a story that reaches it, and no story another', async () => {
  const names = (await crashPoints()).map(({ name }) => name);
  const told = new Set(Object.values(stories).flatMap(({ points }) => Object.keys(points)));
  assert.deepEqual([...told].sort(), names.sort());
});

void test('a crash point is a comment line, with its file and line', () => {
  const text = 'const a = 1;\n  // crash point: half-done\nconst b = 2;\n';
  assert.deepEqual(crashPointsOf([source(text)]), [
    { name: 'half-done', file: 'node/a.ts', line: 2 },
  ]);
});

for (const line of [
  '// crash point',
  '// crash point:half-done',
  '// crash point: half done',
  '// crash point: HalfDone',
  '// Crash point: half-done',
  '// crash-point: half-done',
  '/* crash point: half-done */',
  'commit(); // crash point: half-done',
]) {
  void test(`a malformed crash point is refused: ${line}`, () => {
    assert.throws(() => crashPointsOf([source(`first();\n${line}`)]), /node\/a\.ts:2: write/);
  });
}

void test('a name that stands twice is refused with both places', () => {
  const twice = source('// crash point: once\nfirst();\n// crash point: once\n');
  assert.throws(() => crashPointsOf([twice]), /once stands 2 times: node\/a\.ts:1, node\/a\.ts:3/);
});

void test('lines keep their numbers when crash points become calls', () => {
  const text = 'first();\n  // crash point: half-done\nsecond();';
  const lines = withCrashPoints(text).split('\n');
  assert.equal(lines.length, 3);
  assert.deepEqual([lines[0], lines[2]], ['first();', 'second();']);
  assert.match(lines[1] ?? '', /^ {2}globalThis\[.*\]\('half-done'\);$/);
});

void test('a process dies at the point and passing it is told, and at no other', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-crash-'));
  t.after(async () => await rm(directory, { recursive: true, force: true }));
  const script = join(directory, 'script.ts');
  const own = pathToFileURL(join(import.meta.dirname, '..', 'pgoutput', 'lsn.ts')).href;
  const call = `globalThis[Symbol.for('tributary crash point')]`;
  await writeFile(
    script,
    `import { noLsn } from '${own}';
     for (let n = 1; n <= 3; n += 1) { console.log('lap ' + n + ' ' + noLsn); ${call}('lap'); }`,
  );
  const crash = new CrashSwitch(join(directory, 'crash'));
  const run = async (): Promise<{ stdout: string; signal: unknown }> =>
    await promisify(execFile)(process.execPath, [...crash.execArgv, script], {
      env: { ...crash.environment },
    }).then(
      ({ stdout }) => ({ stdout, signal: null }),
      (error: { stdout: string; signal: unknown }) => error,
    );
  await crash.arm('another');
  assert.equal((await run()).signal, null);
  await crash.arm('lap', 2);
  const { stdout, signal } = await run();
  assert.equal(signal, 'SIGKILL');
  assert.equal(stdout, 'lap 1 0\nlap 2 0\n');
  assert.deepEqual(await crash.reached(), ['lap']);
  assert.equal((await run()).signal, null, 'once');
});
