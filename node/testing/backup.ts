/** A server's data directory put away, and put back in its place: what restoring a backup, or creating a server anew, does. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';
import { copyOwned } from './data-directory.ts';

/** Of a server that is stopped for it and runs afterwards. The copy is not started. */
export async function backUp(cluster: Cluster): Promise<Cluster> {
  await cluster.stop();
  const copy = await Cluster.copyOf(cluster);
  await cluster.start();
  return copy;
}

/** The server goes on, at its own address, with the other's data. The other must not run. */
export async function restore(cluster: Cluster, from: Cluster): Promise<void> {
  await cluster.stop();
  await rm(cluster.directory, { recursive: true, force: true });
  await copyOwned(from.directory, cluster.directory);
  await rm(join(cluster.directory, 'postmaster.pid'), { force: true });
  await cluster.start();
}
