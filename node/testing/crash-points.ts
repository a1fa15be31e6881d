/**
 * Crash points: lines `// crash point: NAME` of the source, at places where the order of two steps matters. For whoever
 * runs the source they are comments; a process of a test that is started with `crash-hooks.ts` may be made to die there.
 */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CrashPoint {
  readonly name: string;
  /** Relative to the root of the project. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Where the hooks put the function that a crash point calls. */
export const crashSymbol = 'tributary crash point';

const point = /^([ \t]*)\/\/ crash point: ([a-z]+(?:-[a-z]+)*)$/;
const meant = /\/[/*].*crash[ -]?point/i;

/** @throws Error naming every malformed comment, and every name that stands twice. */
export function crashPointsOf(sources: readonly Source[]): readonly CrashPoint[] {
  const points: CrashPoint[] = [];
  const wrong: string[] = [];
  for (const { path, text } of sources) {
    for (const [at, line] of text.split('\n').entries()) {
      const name = point.exec(line)?.[2];
      if (name !== undefined) {
        points.push({ name, file: path, line: at + 1 });
      } else if (meant.test(line)) {
        wrong.push(`${path}:${at + 1}: write \`// crash point: some-name\` on a line of its own`);
      }
    }
  }
  for (const [name, same] of Map.groupBy(points, (one) => one.name)) {
    if (same.length > 1) {
      const places = same.map(({ file, line }) => `${file}:${line}`).join(', ');
      wrong.push(`${name} stands ${same.length} times: ${places}`);
    }
  }
  if (wrong.length > 0) {
    throw new Error(wrong.join('\n'));
  }
  return points;
}

/** The same lines, each crash point a statement. */
export function withCrashPoints(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(point, `$1globalThis[Symbol.for('${crashSymbol}')]('$2');`))
    .join('\n');
}

/** Every crash point of what runs beside a database. @throws Error as `crashPointsOf`. */
export async function crashPoints(): Promise<readonly CrashPoint[]> {
  return crashPointsOf(await productionSources());
}

/** Everything under node/ but tests and what serves them. */
async function productionSources(): Promise<readonly Source[]> {
  const root = join(import.meta.dirname, '..', '..');
  const sources: Source[] = [];
  for await (const path of glob('node/**/*.ts', { cwd: root, exclude: ['node/testing/**'] })) {
    if (!path.endsWith('.test.ts')) {
      sources.push({ path, text: await readFile(join(root, path), 'utf8') });
    }
  }
  return sources.sort((a, b) => (a.path < b.path ? -1 : 1));
}
