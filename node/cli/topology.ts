/** `tributary topology validate|print`: what is wrong with a file, or the tree it describes. */
import { loadTopology } from '../config/load.ts';
import type { NodeConfig, ReplicatedTable, Topology } from '../config/model.ts';
import { TopologyInvalid, problemLine } from '../config/problem.ts';
import { columnsLeaving } from '../config/tree.ts';

export interface TopologyArguments {
  readonly verb: 'validate' | 'print';
  readonly file: string;
}

/** Exit code 0: valid; 2: not, each problem on a line `file:line: path: problem; what to write`. Reads no secret. */
export async function topologyCommand(
  { verb, file }: TopologyArguments,
  out: (line: string) => void,
): Promise<number> {
  try {
    const topology = await loadTopology(file);
    const lines = verb === 'print' ? printed(topology) : [summary(topology)];
    lines.forEach((line) => out(line));
    return 0;
  } catch (error) {
    if (!(error instanceof TopologyInvalid)) {
      throw error;
    }
    error.problems.forEach((problem) => out(problemLine(problem)));
    const { length } = error.problems;
    out(`${file}: ${length} ${length === 1 ? 'problem' : 'problems'}`);
    return 2;
  }
}

function summary({ file, digest, nodes, tables }: Topology): string {
  return `${file}: valid, ${nodes.length} nodes, ${tables.length} tables, digest ${digest}`;
}

function printed(topology: Topology): readonly string[] {
  const roots = topology.nodes.filter((node) => node.parent === null);
  return [
    summary(topology),
    '',
    ...roots.flatMap((root) => branch(topology, root, '')),
    '',
    ...topology.tables.flatMap((table) => tableLines(table, topology.levels)),
  ];
}

function branch(topology: Topology, node: NodeConfig, indent: string): readonly string[] {
  const title = node.title === node.name ? '' : ` "${node.title}"`;
  const retired = node.retired ? ', retired' : '';
  const children = topology.nodes.filter((child) => child.parent === node.name);
  return [
    `${indent}${node.name}${title} (${node.level}${retired})`,
    ...children.flatMap((child) => branch(topology, child, `${indent}  `)),
  ];
}

function tableLines(table: ReplicatedTable, levels: readonly string[]): readonly string[] {
  const leaving = levels
    .slice(0, -1)
    .filter((level) => table.at.has(level))
    .map((level) => `  columns from a ${level}: ${columnsLeaving(table, level)?.join(', ')}`);
  return [
    `${table.schema}.${table.name}`,
    `  key: ${table.key?.join(', ') ?? 'the primary key'}`,
    `  approved: ${table.approved?.sql ?? 'every row'}`,
    `  columns: ${table.columns?.join(', ') ?? 'all'}`,
    ...leaving,
  ];
}
