/** The topology file as YAML: its data, the line of every path, and what is wrong with it as YAML. */
import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Node, Pair, YAMLError } from 'yaml';
import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];

export interface YamlSource {
  /** undefined: not readable as YAML, `problems` says why. */
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** A problem at a path: at the line of a scalar, else of its key, else of what holds it. */
  problem(path: Path, problem: string, instead: string): Problem;
  lineOf(path: Path): number;
}

/** What people run into, by the code of the yaml package: [problem, instead]. */
const advice: Readonly<Record<string, readonly [string, string]>> = {
  DUPLICATE_KEY: ['the same key stands here twice', 'remove one of the two'],
  TAB_AS_INDENT: ['a tab indents this line', 'write two spaces for each step'],
  MULTIPLE_DOCS: ['a second document begins', 'remove the line `---`'],
  BAD_INDENT: ['the indentation fits no line above', 'write it below its neighbours'],
  MISSING_CHAR: ['a character is missing', 'close every quote, bracket and brace'],
  UNEXPECTED_TOKEN: ['something unexpected stands here', 'write `key: value`, quoted if need be'],
  BAD_SCALAR_START: ['a value begins with a reserved character', 'write it in double quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['a second `key: value` on one line', 'write the value in quotes'],
  MULTILINE_IMPLICIT_KEY: ['a key spans lines', 'write `key: value` on one line'],
  NON_STRING_KEY: ['a key is no text', 'write the key in quotes'],
  TAG_RESOLVE_FAILED: ['a tag (!) stands here', 'write the value without it, or in quotes'],
};

export function yamlSource(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const root = document.contents;
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const lineOf = (path: Path): number => lineAt(offsetOf(root, path));
  const problems = [...document.errors, ...document.warnings].map((error) =>
    yamlProblem(error, file, lineAt(error.pos[0])),
  );
  const broken = document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  visit(document, {
    Node: (_, node) => {
      const anchor = isAlias(node) ? `*${node.source}` : node.anchor && `&${node.anchor}`;
      if (anchor) {
        problems.push({
          file,
          line: lineAt(node.range?.[0] ?? 0),
          path: '',
          problem: `the anchor or alias ${anchor} stands here`,
          instead: 'write the values out, or in quotes if it is no alias',
        });
      }
    },
  });
  const aliased = problems.some((problem) => problem.problem.startsWith('the anchor or alias'));
  return {
    data: broken || aliased ? undefined : document.toJS(),
    problems,
    lineOf,
    problem: (path, problem, instead) => ({
      file,
      line: lineOf(path),
      path: pathText(path),
      problem,
      instead,
    }),
  };
}

/** `nodes[3].parent`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') {
      return `${text}[${step}]`;
    }
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

function yamlProblem(error: YAMLError, file: string, line: number): Problem {
  const [problem, instead] = advice[error.code] ?? [
    `this is not YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
    'write `key: value`, lists as `- item`, texts with special characters in double quotes',
  ];
  return { file, line, path: '', problem, instead };
}

/** Where the path is, or as far along it as the document goes. */
function offsetOf(root: Node | null, path: Path): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of path) {
    const found = entry(node, step);
    if (found === null) {
      return offset;
    }
    const key = isPair(found) && isScalar(found.key) ? found.key.range?.[0] : undefined;
    node = isPair(found) ? found.value : found;
    offset = key ?? (node as Node | null)?.range?.[0] ?? offset;
    if (isScalar(node) && node.value !== null) {
      offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}

function entry(node: unknown, step: string | number): Pair | Node | null {
  if (isMap(node)) {
    return node.items.find((pair) => isScalar(pair.key) && pair.key.value === step) ?? null;
  }
  return isSeq(node) ? ((node.items[Number(step)] as Node | undefined) ?? null) : null;
}
