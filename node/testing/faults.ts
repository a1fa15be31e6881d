/**
 * `npm run faults [-- part of a name ...]`: puts each fault of the list into a copy of the source, runs the test that
 * guards against it, and demands red; and green without any fault. No switch for a fault exists in the source itself.
 */
import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Fault, mutate, readReport, type Verdict } from './fault.ts';
import { faults } from './fault-list.ts';

const root = join(import.meta.dirname, '..', '..');
const minutes = 10;

interface Outcome {
  readonly name: string;
  readonly as: 'red' | 'NOT RED' | 'NOT GREEN' | 'STALE';
  readonly seconds: number;
  readonly seen: string;
}

const wanted = process.argv.slice(2);
const chosen = faults.filter(
  (fault) => wanted.length === 0 || wanted.some((part) => fault.name.includes(part)),
);
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopped.abort();
  });
}

const copy = await mkdtemp(join(tmpdir(), 'tributary-faults-'));
try {
  await copyTree(copy);
  const outcomes: Outcome[] = [];
  const green = new Map<string, Verdict>();
  for (const fault of chosen) {
    const outcome = await judge(fault, green);
    outcomes.push(outcome);
    console.log(
      `${outcome.as.padEnd(9)} ${outcome.seconds.toFixed(0).padStart(4)} s  ${fault.name}`,
    );
  }
  report(outcomes);
} finally {
  await rm(copy, { recursive: true, force: true });
}

async function copyTree(to: string): Promise<void> {
  const left = new Set(['node_modules', '.git']);
  await cp(root, to, { recursive: true, filter: (path) => !left.has(basename(path)) });
  // As root the servers run as another user, who must reach their binaries by way of the copy.
  await chmod(to, 0o755);
  await symlink(join(root, 'node_modules'), join(to, 'node_modules'));
}

async function judge(fault: Fault, green: Map<string, Verdict>): Promise<Outcome> {
  const start = performance.now();
  const outcome = (as: Outcome['as'], seen: string): Outcome => ({
    name: fault.name,
    as,
    seconds: (performance.now() - start) / 1000,
    seen,
  });
  const guard = `${fault.test.file} ${fault.test.title}`;
  const without = green.get(guard) ?? (await runGuard(fault));
  green.set(guard, without);
  if (without.failed.length > 0 || without.passed === 0) {
    return outcome('NOT GREEN', without.said || 'no such test ran');
  }
  const originals = new Map<string, string>();
  try {
    for (const edit of fault.edits) {
      const text = await readFile(join(copy, edit.file), 'utf8');
      originals.set(edit.file, originals.get(edit.file) ?? text);
      await writeFile(join(copy, edit.file), mutate(text, edit));
    }
  } catch (error) {
    await restore(originals);
    return outcome('STALE', error instanceof Error ? error.message : 'unknown');
  }
  const verdict = await runGuard(fault);
  await restore(originals);
  return verdict.failed.length > 0
    ? outcome('red', verdict.said)
    : outcome('NOT RED', verdict.passed > 0 ? 'the test passed' : 'the test did not run');
}

async function restore(originals: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of originals) {
    await writeFile(join(copy, file), text);
  }
}

async function runGuard(fault: Fault): Promise<Verdict> {
  const pattern = fault.test.title.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  const child = spawn(
    process.execPath,
    [
      'node/testing/run.ts',
      '--majors=18',
      '--test-reporter=tap',
      '--test-timeout=300000',
      `--test-name-pattern=${pattern}`,
      fault.test.file,
    ],
    {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(minutes * 60_000)]),
      killSignal: 'SIGTERM',
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const closed = Promise.withResolvers<void>();
  child.on('close', () => {
    closed.resolve();
  });
  // An abort is reported as an error; the runner then still has its clusters to stop.
  child.on('error', () => {});
  await closed.promise;
  stopped.signal.throwIfAborted();
  return readReport(output, fault.test.title);
}

function report(outcomes: readonly Outcome[]): void {
  console.log('\n| fault | with the fault | seen |\n|---|---|---|');
  for (const { name, as, seen } of outcomes) {
    console.log(`| ${name} | ${as} | ${seen.replaceAll('|', '/').slice(0, 160)} |`);
  }
  const red = outcomes.filter((outcome) => outcome.as === 'red').length;
  console.log(`\n${red} of ${outcomes.length} faults turned their test red`);
  if (red < outcomes.length || outcomes.length === 0) {
    process.exitCode = 1;
  }
}
