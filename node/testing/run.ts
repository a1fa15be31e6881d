/**
 * `npm test`: starts one cluster per major once, runs node's test runner over them, stops them. Arguments are passed on:
 * paths restrict the run, `--majors=15,18` the versions. The runner's own summary comes last.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';
import { installedMajors, makeTemplates } from './data-directory.ts';
import { createRoles } from './database.ts';

const args = process.argv.slice(2);
const wanted = args
  .find((arg) => arg.startsWith('--majors='))
  ?.slice('--majors='.length)
  .split(',')
  .map(Number);
const majors = installedMajors().filter((major) => wanted?.includes(major) ?? true);
if (majors.length === 0) {
  throw new Error('no PostgreSQL is installed for the tests: run `npm ci` with optional packages');
}
const passed = args.filter((arg) => !arg.startsWith('--majors='));
const options = passed.filter((arg) => arg.startsWith('--'));
const places = passed.filter((arg) => !arg.startsWith('--'));

const templates = await mkdtemp(join(tmpdir(), 'tributary-templates-'));
const ports = await mkdtemp(join(tmpdir(), 'tributary-ports-'));
const compiled = await mkdtemp(join(tmpdir(), 'tributary-compiled-'));
const clusters: Cluster[] = [];
let code = 1;
try {
  await makeTemplates(templates, majors);
  process.env['TEST_PG_TEMPLATES'] = templates;
  process.env['TEST_PORTS'] = ports;
  // Of test files and of the nodes they start: compiling anew is two fifths of what each takes to begin.
  process.env['NODE_COMPILE_CACHE'] = compiled;
  clusters.push(
    ...(await Promise.all(majors.map(async (major) => await Cluster.start({ major })))),
  );
  for (const cluster of clusters) {
    await createRoles(async (sql) => await cluster.query(sql));
    process.env[`TEST_PG_${cluster.major}`] = cluster.url();
  }
  console.log(`PostgreSQL ${majors.join(', ')} on node ${process.version}`);
  const files = await testFiles();
  const child = spawn(
    process.execPath,
    ['--test', '--test-concurrency=2', '--test-timeout=900000', ...options, ...files],
    { stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  [code] = (await once(child, 'exit')) as [number];
} finally {
  await Promise.all(
    clusters.map(async (cluster) => {
      await cluster[Symbol.asyncDispose]();
    }),
  );
  await rm(templates, { recursive: true, force: true });
  await rm(ports, { recursive: true, force: true });
  await rm(compiled, { recursive: true, force: true });
}
process.exitCode = code ?? 1;

async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(['{node,poc,monitoring,bench}/**/*.test.ts'])) {
    if (places.length === 0 || places.some((place) => file.startsWith(place))) {
      found.push(file);
    }
  }
  if (found.length === 0) {
    // Without a file node's runner would look for tests of its own.
    throw new Error(`no test file begins with ${places.join(' or ')}`);
  }
  return found.sort();
}
