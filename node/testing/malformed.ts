/** Malformed topology files for tests: a file that is right but for the lines a case adds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTopology } from '../config/load.ts';
import { TopologyInvalid, problemLine } from '../config/problem.ts';
import type { Problem } from '../config/problem.ts';

const nation = '  - {name: nation, level: nation, database: "${N}"}\n';
export const head = 'version: 1\nlevels: [district, region, nation]\n';

/** A file that is right but for what the case adds: lines 1 and 2 head, 3 tables, 4 nodes, 5 the nation. */
export function withNodes(lines: string): string {
  return `${head}tables: []\nnodes:\n${nation}${lines}`;
}

/** Lines 1 and 2 head, 3 nodes, 4 the nation, 5 tables, 6 the first table. */
export function withTable(lines: string): string {
  return `${head}nodes:\n${nation}tables:\n  - table: public.report\n${lines}`;
}

export interface Malformed {
  readonly title: string;
  readonly text: string;
  /** line, path, problem, advice: in the order of the report. */
  readonly problems: readonly (readonly [number, string, RegExp, RegExp])[];
}

export const region = '{name: north, level: region, parent: nation, database: x, provider: x}';

/** One test per case: exactly these problems, with their lines, in this order. */
export function refuses(cases: readonly Malformed[]): void {
  for (const { title, text, problems } of cases) {
    void test(`${title}: every problem with its line and what to write`, () => {
      const found = problemsOf(text);
      assert.deepEqual(
        found.map(({ line, path }) => [line, path]),
        problems.map(([line, path]) => [line, path]),
        found.map(problemLine).join('\n'),
      );
      for (const [index, [, , problem, instead]] of problems.entries()) {
        assert.match(found[index]?.problem ?? '', problem);
        assert.match(found[index]?.instead ?? '', instead);
      }
    });
  }
}

export function problemsOf(text: string): readonly Problem[] {
  try {
    parseTopology(text, 'test.yaml');
  } catch (error) {
    assert.ok(error instanceof TopologyInvalid, String(error));
    assert.equal(error.code, 'topology_invalid');
    assert.ok(error.problems.every((problem) => problem.file === 'test.yaml'));
    return error.problems;
  }
  return assert.fail('the file was accepted');
}
