/**
 * One suite at length: `node node/testing/suite.ts chaos --rounds 200`. An option `--name value` reaches the suite as
 * TEST_NAME; `--majors=...` and what else holds a `=` reaches the runner. In `npm test` the suites run short.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const [name, ...words] = process.argv.slice(2);
const passed: string[] = [];
const settings: Record<string, string> = {};
while (words.length > 0) {
  const word = words.shift() ?? '';
  const value = word.includes('=') ? undefined : words.shift();
  if (value === undefined || !word.startsWith('--')) {
    passed.push(word);
  } else {
    settings[`TEST_${word.slice(2).toUpperCase().replaceAll('-', '_')}`] = value;
  }
}
if (!name) {
  throw new Error('which suite? A file of node/testing/suites without `.test.ts`');
}
if (!passed.some((word) => word.startsWith('--majors='))) {
  passed.push('--majors=18');
}
const child = spawn(
  process.execPath,
  [
    join(import.meta.dirname, 'run.ts'),
    '--test-timeout=14400000',
    ...passed,
    `node/testing/suites/${name}.test.ts`,
  ],
  { stdio: 'inherit', env: { ...process.env, ...settings } },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => child.kill(signal));
}
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;
