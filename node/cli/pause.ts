/** `tributary pause|resume STREAM`: asks the running process to stop the stream of a child, or to let it go on. */
import { z } from 'zod';
import type { NodeConfig } from '../config/model.ts';
import { askToAct } from './ask-to-act.ts';

export interface PauseArguments {
  readonly verb: 'pause' | 'resume';
  readonly words: readonly string[];
}

const done = z.object({ stream: z.string(), paused: z.boolean() });

/** 0: it is as asked, and stays so across restarts; 1: no process answers; 2: there is no such stream here. */
export async function pauseCommand(
  node: NodeConfig,
  { verb, words: [stream = ''] }: PauseArguments,
  out: (line: string) => void,
): Promise<number> {
  const answer = await askToAct(node, { stream, verb, answer: done }, out);
  if (typeof answer === 'number') {
    return answer;
  }
  out(
    answer.paused
      ? `${node.name}: the stream from ${stream} is paused; its log piles up there until \`tributary resume ${stream}\``
      : `${node.name}: the stream from ${stream} goes on`,
  );
  return 0;
}
