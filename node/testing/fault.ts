/** A fault that a promise guards against, put into the source: an exact snippet of one file becomes another. */

export interface Fault {
  /** What goes wrong, as one would tell it. */
  readonly name: string;
  /** The promise it breaks, in words. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** The test that must turn red. */
  readonly test: {
    readonly file: string;
    /** Part of the titles of the tests that guard against it. */
    readonly title: string;
  };
}

export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** The text with the fault in it. @throws Error when the snippet does not stand there exactly once: the list is stale. */
export function mutate(text: string, edit: Edit): string {
  const first = text.indexOf(edit.find);
  if (first === -1 || text.indexOf(edit.find, first + 1) !== -1) {
    const times = first === -1 ? 'no longer' : 'more than once';
    throw new Error(`stale fault: the snippet stands ${times} in ${edit.file}: ${edit.find}`);
  }
  return text.slice(0, first) + edit.replace + text.slice(first + edit.find.length);
}

export interface Verdict {
  readonly passed: number;
  /** Titles of tests that failed; a file that could not be loaded is not a test. */
  readonly failed: readonly string[];
  /** What the first failure said. */
  readonly said: string;
}

/** Reads a TAP report of node's test runner, for tests whose title holds `title`. */
export function readReport(tap: string, title: string): Verdict {
  const lines = tap.split('\n');
  const failed: string[] = [];
  let passed = 0;
  let said = '';
  for (const [at, line] of lines.entries()) {
    const match = /^\s*(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line);
    if (!match || match[3] || !match[2]?.replaceAll('\\', '').includes(title)) {
      continue;
    }
    if (match[1] === 'ok') {
      passed += 1;
    } else {
      failed.push(match[2]);
      said ||= firstError(lines.slice(at + 1));
    }
  }
  return { passed, failed, said };
}

function firstError(lines: readonly string[]): string {
  const at = lines.findIndex((line) => /^\s*error: /.test(line));
  const end = lines.findIndex((line) => /^\s*\.\.\.$/.test(line));
  if (at === -1 || (end !== -1 && end < at)) {
    return '';
  }
  const text = (lines[at] ?? '').replace(/^\s*error: /, '');
  const block = /^\|-?$/.test(text) ? lines.slice(at + 1, at + 3).join(' ') : text;
  return block.replaceAll(/\s+/g, ' ').replace(/^'|'$/g, '').trim();
}
