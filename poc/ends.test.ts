import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** A block of ports for each case, other ones in a second test run on this machine. */
const firstPort = 20_000 + (process.pid % 100) * 80;

const entry = new URL('main.ts', import.meta.url).pathname;

/** Starts a run with a temporary directory of its own, sends the signal once stderr has the words, waits for the end. */
async function end(ports: number, { words, signal }: { words: string; signal: NodeJS.Signals }) {
  const home = await mkdtemp(join(tmpdir(), 'tributary-ends-'));
  // as root the databases run as another user
  await chmod(home, 0o755);
  const args = [entry, '--for', '600', '--ports', String(ports)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: home },
  });
  let said = '';
  let during = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    const before = said;
    said += chunk.toString();
    if (!before.includes(words) && said.includes(words)) {
      void processes(home).then((found) => {
        during = found.length;
        child.kill(signal);
      });
    }
  });
  const [code] = (await once(child, 'close')) as [number];
  const left = { processes: await processes(home), files: await readdir(home) };
  await rm(home, { recursive: true, force: true });
  return { code, said, during, left };
}

/** Command lines that name the directory: every server does, and every node (its topology is a copy there). */
async function processes(directory: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args']);
  return stdout.split('\n').filter((line) => line.includes(directory));
}

const cases = [
  { words: 'begin to work', signal: 'SIGINT', code: 130, ports: firstPort },
  { words: 'preparing them', signal: 'SIGTERM', code: 143, ports: firstPort + 40 },
] as const;

for (const { words, signal, code, ports } of cases) {
  void test(`${signal} after "${words}" leaves no process and no file`, async () => {
    const result = await end(ports, { words, signal });
    assert.ok(result.during >= 7, `seven databases ran: ${result.said}`);
    assert.deepEqual(result.left, { processes: [], files: [] }, result.said);
    assert.equal(result.code, code, result.said);
  });
}
