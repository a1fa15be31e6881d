/**
 * Ports for servers of tests. Asking the system for any free port is not enough: one that is not listened on at once, or
 * for a while, as that of a server that is killed, may become another's, or the near end of a connection. So ports are
 * taken from below those the system gives away, and each is claimed for the whole run by a file.
 */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

const lowest = 10_240;
/** Linux gives away those from here on; other systems from higher ones. */
const highest = 32_767;

const claimed = new Set<number>();

/** A port nothing listens on, which nobody else of this run gets. */
export async function freePort(): Promise<number> {
  const ports = highest - lowest + 1;
  const first = Math.floor(Math.random() * ports);
  for (let step = 0; step < ports; step += 1) {
    const port = lowest + ((first + step) % ports);
    if ((await claim(port)) && (await isFree(port))) {
      return port;
    }
  }
  throw new Error(`no port from ${lowest} to ${highest} is free`);
}

/** Over all processes of a run, whose directory `run.ts` makes; without one, in this process alone. */
async function claim(port: number): Promise<boolean> {
  if (claimed.has(port)) {
    return false;
  }
  claimed.add(port);
  const directory = process.env['TEST_PORTS'];
  if (directory === undefined) {
    return true;
  }
  try {
    await (await open(join(directory, String(port)), 'wx')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
