/** What is wrong with a topology file: every problem at once, each with its place and what to write instead. */
import { TributaryError } from '../errors.ts';

export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where in the document, such as `nodes[3].parent`; empty for the document as a whole. */
  readonly path: string;
  /** What is wrong, in one clause. */
  readonly problem: string;
  /** What to do about it, in one imperative clause: "write `parent: north`". */
  readonly instead: string;
}

/** Code topology_invalid; `problems` has at least one entry, in the order of lines. */
export class TopologyInvalid extends TributaryError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = problems.toSorted((a, b) => a.line - b.line);
    const [first] = sorted;
    super('topology_invalid', {
      file: first?.file,
      line: first?.line,
      path: first?.path,
      problems: sorted.length,
    });
    this.name = 'TopologyInvalid';
    this.problems = sorted;
  }
}

/** One line for a terminal: `file:line: path: problem; what to do`. */
export function problemLine({ file, line, path, problem, instead }: Problem): string {
  const place = path === '' ? '' : ` ${path}:`;
  return `${file}:${line}:${place} ${problem}; ${instead}`;
}
