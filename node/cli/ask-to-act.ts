/** What a command asks the running process of a node to do to one of its streams. */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { NodeConfig } from '../config/model.ts';
import { addressOf, askNode } from './node-address.ts';
import { userName } from './user-name.ts';

export interface Act<T> {
  readonly stream: string;
  /** Below the stream, such as `parked/retry`. */
  readonly verb: string;
  /** Sent besides who asks. */
  readonly given?: object;
  /** What it says when it has done so. */
  readonly answer: z.ZodType<T>;
}

const refusal = z.object({ text: z.string(), advice: z.string() });

/** Its answer; or the exit code, and why is said: 1, no process answers or it can not now; 2, it refused. */
export async function askToAct<T extends object>(
  node: NodeConfig,
  { stream, verb, given, answer }: Act<T>,
  out: (line: string) => void,
): Promise<T | 1 | 2> {
  const reply = await askNode(node, {
    method: 'POST',
    path: `/api/streams/${encodeURIComponent(stream)}/${verb}`,
    timeoutMs: 30_000,
    body: { actor: `${userName()} at ${hostname()}`, ...given },
  });
  if (!reply) {
    out(`no process of ${node.name} answers at ${addressOf(node)}: start it by \`tributary run\``);
    return 1;
  }
  const done = answer.safeParse(reply.body);
  if (done.success) {
    return done.data;
  }
  const { text, advice } = refusal.catch({ text: 'refused', advice: '' }).parse(reply.body);
  out(`${node.name}: ${stream}: ${text} (HTTP ${reply.status})`);
  out(advice);
  return reply.status === 409 ? 2 : 1;
}
