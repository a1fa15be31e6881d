/** An error as lines for a person: what is wrong, where, what to do. Never a stack as the only answer. */
import { problemLine, TopologyInvalid } from '../config/problem.ts';
import { localError } from '../database/local-error.ts';
import { TributaryError } from '../errors.ts';

export function complaint(thrown: unknown): readonly string[] {
  const error = localError(thrown);
  if (error instanceof TopologyInvalid) {
    return [
      ...error.problems.map(problemLine),
      `${error.message} (${error.code}). ${error.advice}`,
    ];
  }
  const context = Object.entries(error.context)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `  ${name}: ${String(value)}`);
  const frames = error.code === 'internal' ? framesOf(thrown) : [];
  return [`error: ${error.message} (${error.code})`, ...context, ...frames, error.advice];
}

/** 2: wrong usage or configuration; 3: needs a person; 1: not reached. */
export function exitCodeOf(thrown: unknown): number {
  const { policy } = localError(thrown);
  if (policy === 'configuration') {
    return 2;
  }
  return policy === 'person' ? 3 : 1;
}

/** Where an unexpected failure came from, without its message: that may hold a row's value. */
function framesOf(thrown: unknown): readonly string[] {
  const error = thrown instanceof TributaryError ? thrown.cause : thrown;
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').filter((line) => /^\s+at /.test(line));
}
