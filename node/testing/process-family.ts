/** The processes a process has started, by way of /proc; elsewhere it knows of none. */
import { readdir, readFile } from 'node:fs/promises';
import { until } from './until.ts';

/**
 * Stops a process and kills -9 all its children; resolves when they are gone. The process itself stays stopped, to be
 * killed by the caller: so it starts no new children in between.
 */
export async function killChildren(parent: number): Promise<void> {
  process.kill(parent, 'SIGSTOP');
  const children = await childrenOf(parent);
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await until(
    async () => {
      const states = await Promise.all(children.map(async (pid) => (await statOf(pid))?.state));
      return states.every((state) => state === undefined || state === 'Z');
    },
    { what: 'killed processes are gone', ms: 10_000, everyMs: 5 },
  );
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    pids.map(async (pid) => ({ pid: Number(pid), stat: await statOf(Number(pid)) })),
  );
  return stats.filter(({ stat }) => stat?.parent === parent).map(({ pid }) => pid);
}

/** Null: there is no such process. */
async function statOf(pid: number): Promise<{ state: string; parent: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in parentheses may hold anything; state and parent follow it.
  const [state = '', parent = ''] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return text === null ? null : { state, parent: Number(parent) };
}
