/** `tributary pause|resume STREAM`: asks the running process to stop the stream of a child, or to let it go on. */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { NodeConfig } from '../config/model.ts';
import { addressOf, askNode } from './node-address.ts';
import { userName } from './user-name.ts';

export interface PauseArguments {
  readonly verb: 'pause' | 'resume';
  readonly words: readonly string[];
}

const done = z.object({ stream: z.string(), paused: z.boolean() });
const refusal = z.object({ text: z.string(), advice: z.string() });

/** 0: it is as asked, and stays so across restarts; 1: no process answers; 2: there is no such stream here. */
export async function pauseCommand(
  node: NodeConfig,
  { verb, words: [stream = ''] }: PauseArguments,
  out: (line: string) => void,
): Promise<number> {
  const reply = await askNode(node, {
    method: 'POST',
    path: `/api/streams/${encodeURIComponent(stream)}/${verb}`,
    timeoutMs: 30_000,
    body: { actor: `${userName()} at ${hostname()}` },
  });
  if (!reply) {
    out(`no process of ${node.name} answers at ${addressOf(node)}: start it by \`tributary run\``);
    return 1;
  }
  const answer = done.safeParse(reply.body);
  if (answer.success) {
    out(
      answer.data.paused
        ? `${node.name}: the stream from ${stream} is paused; its log piles up there until \`tributary resume ${stream}\``
        : `${node.name}: the stream from ${stream} goes on`,
    );
    return 0;
  }
  const { text, advice } = refusal.catch({ text: 'refused', advice: '' }).parse(reply.body);
  out(`${node.name}: ${stream}: ${text} (HTTP ${reply.status})`);
  out(advice);
  return reply.status === 409 ? 2 : 1;
}
