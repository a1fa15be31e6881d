/** What the kernel says of processes and sockets (Linux): the only figures that cost what is measured nothing. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** USER_HZ, in which Linux reports processor time to programs on every architecture Node runs on. */
const ticksPerSecond = 100;

/** User and system seconds of all threads since the process started; 0 when it is gone. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The command, in parentheses, may hold spaces: fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

export async function cpuSecondsOfAll(pids: readonly number[]): Promise<number> {
  const seconds = await Promise.all(pids.map(cpuSeconds));
  return seconds.reduce((sum, each) => sum + each, 0);
}

/** Bytes the peer of a local port has acknowledged, over its established connections; null where `ss` is missing. */
export async function bytesSent(localPort: number, peerPort: number): Promise<number | null> {
  const filter = ['-tinH', 'sport', '=', `:${localPort}`, 'and', 'dport', '=', `:${peerPort}`];
  const found = await promisify(execFile)('ss', filter).catch(() => null);
  const bytes = found && /bytes_acked:(\d+)/.exec(found.stdout)?.[1];
  return bytes ? Number(bytes) : null;
}
