/** `tributary reload`: asks the running process to read its topology file again. */
import { z } from 'zod';
import type { NodeConfig } from '../config/model.ts';
import { addressOf, askNode } from './node-address.ts';

const answer = z.object({ problems: z.array(z.string()), atNextStart: z.array(z.string()) });

/** 0: the new file is in force; 1: no process answers; 2: the file has problems, the old one stays in force. */
export async function reloadCommand(
  node: NodeConfig,
  out: (line: string) => void,
): Promise<number> {
  const reply = await askNode(node, { method: 'POST', path: '/api/reload', timeoutMs: 60_000 });
  if (!reply) {
    out(`no process of ${node.name} answers at ${addressOf(node)}: start it by \`tributary run\``);
    return 1;
  }
  const { success, data } = answer.safeParse(reply.body);
  if (!success) {
    out(`the process at ${addressOf(node)} refused (HTTP ${reply.status})`);
    return 1;
  }
  for (const problem of data.problems) {
    out(problem);
  }
  for (const name of data.atNextStart) {
    out(`${node.name}: a changed \`${name}\` takes effect when the process is started again`);
  }
  out(
    data.problems.length === 0
      ? `${node.name}: the topology file is in force`
      : `${node.name}: the file was not taken; the one before stays in force`,
  );
  return data.problems.length === 0 ? 0 : 2;
}
