/** Reads and checks the topology file. Every problem is found before any is reported. */
import { readFile } from 'node:fs/promises';
import { validate } from 'node-cron';
import type { Complain } from './complaint.ts';
import { draftOf } from './draft.ts';
import type { Draft } from './draft.ts';
import type { Topology } from './model.ts';
import { checkNodes } from './node-rules.ts';
import { TopologyInvalid } from './problem.ts';
import type { Problem } from './problem.ts';
import { durationMs } from './quantity.ts';
import { topologyJsonSchema } from './schema-json.ts';
import { hasPlaceholder } from './secret.ts';
import { topologyShape } from './shape.ts';
import { shapeProblems } from './shape-problem.ts';
import { nearest } from './suggest.ts';
import { checkTables } from './table-rules.ts';
import { topologyOf } from './topology.ts';
import { yamlSource } from './yaml-source.ts';
import type { Path } from './yaml-source.ts';

/** @throws TopologyInvalid with all problems, also if there is no such file. */
export async function loadTopology(path: string): Promise<Topology> {
  return parseTopology(await fileText(path), path);
}

/** The same of a text; `file` names it in problems, and `${file:PATH}` counts from its directory. @throws TopologyInvalid */
export function parseTopology(text: string, file: string): Topology {
  const source = yamlSource(text, file);
  if (source.data === undefined) {
    throw new TopologyInvalid(source.problems);
  }
  if (source.data === null) {
    const instead =
      'write `version: 1`, then levels, tables and nodes, as in topology/example.yaml';
    throw new TopologyInvalid([
      ...source.problems,
      source.problem([], 'the file is empty', instead),
    ]);
  }
  const problems: Problem[] = [...source.problems];
  const complain: Complain = (path, problem, instead) => {
    problems.push(source.problem(path, problem, instead));
  };
  const result = topologyShape.safeParse(source.data);
  problems.push(...shapeProblems(result.error?.issues ?? [], source, topologyJsonSchema()));
  const draft = draftOf(source.data);
  checkTop(draft, complain);
  checkTables(draft, complain);
  checkNodes(draft, complain);
  checkPlaceholders(source.data, [], complain);
  if (!result.success || problems.length > 0) {
    throw new TopologyInvalid(problems);
  }
  return topologyOf(result.data, { file, text, source });
}

async function fileText(path: string): Promise<string> {
  const fail = (problem: string, instead: string): never => {
    throw new TopologyInvalid([{ file: path, line: 1, path: '', problem, instead }]);
  };
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) =>
    fail(
      error.code === 'ENOENT' ? 'there is no such file' : `can not be read (${error.code})`,
      'write its path after --topology or in TRIBUTARY_TOPOLOGY',
    ),
  );
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('is not text in UTF-8', 'write it in UTF-8');
  }
}

function checkTop(draft: Draft, complain: Complain): void {
  if (draft.zone !== undefined && !isZone(draft.zone)) {
    const meant = nearest(draft.zone, Intl.supportedValuesOf('timeZone')) ?? 'Africa/Addis_Ababa';
    complain(
      ['zone'],
      `there is no time zone \`${draft.zone}\``,
      `write, for example, \`zone: ${meant}\``,
    );
  }
  if (draft.verify !== undefined && !isCron(draft.verify)) {
    complain(
      ['verify'],
      'is no cron expression',
      "write minute, hour, day, month and weekday, for example `verify: '0 2 * * 0'`",
    );
  }
  if (draft.heartbeat !== undefined) {
    const ms = durationMs(draft.heartbeat);
    if (ms < 100 || ms > 3_600_000) {
      complain(
        ['heartbeat'],
        'is not between 100ms and 1h',
        'write, for example, `heartbeat: 30s`',
      );
    }
  }
}

function isCron(expression: string): boolean {
  return expression.trim().split(/\s+/).length === 5 && validate(expression);
}

function isZone(zone: string): boolean {
  try {
    return /^[A-Z]/.test(zone) && Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** A placeholder elsewhere would make the meaning of the file depend on the machine. */
function checkPlaceholders(data: unknown, path: Path, complain: Complain): void {
  if (typeof data === 'object' && data !== null) {
    for (const [key, value] of Object.entries(data)) {
      checkPlaceholders(value, [...path, Array.isArray(data) ? Number(key) : key], complain);
    }
  } else if (typeof data === 'string' && hasPlaceholder(data) && !maySecret(path)) {
    const instead = 'write the value itself: only database, provider and url of probes are secrets';
    complain(path, 'holds a placeholder', instead);
  }
}

function maySecret(path: Path): boolean {
  const [room, , field, , inner] = path;
  return (
    room === 'nodes' &&
    (path.length === 3 ? field === 'database' || field === 'provider' : field === 'probes') &&
    (path.length === 3 || inner === 'url')
  );
}
