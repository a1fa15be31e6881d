/** A changed topology file reaches a node of a test tree. */
import { writeFile } from 'node:fs/promises';
import { loadTopology } from '../config/load.ts';
import type { StatusReport } from '../monitor/status-report.ts';
import type { Tree } from './tree.ts';

/** Resolves when it is in force there. */
export async function deliver(tree: Tree, name: string, text: string): Promise<void> {
  const file = tree.fileOf(name);
  await writeFile(file, text);
  const { digest } = await loadTopology(file);
  tree.process(name).signal('SIGHUP');
  await tree.until(async () => (await tree.status<StatusReport>(name)).topology.digest === digest, {
    what: `the file is in force at ${name}`,
  });
}
