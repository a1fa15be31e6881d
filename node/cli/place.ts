/** Which node a command is about: from the command line, else from the environment. */
import { environment } from '../config/environment.ts';
import { loadTopology } from '../config/load.ts';
import type { NodeConfig, Topology } from '../config/model.ts';
import { nodeOf } from '../config/tree.ts';
import { TributaryError } from '../errors.ts';
import type { Arguments } from './arguments.ts';

export interface Place {
  readonly file: string;
  readonly topology: Topology;
  readonly node: NodeConfig;
}

/** @throws TributaryError usage when no file is named. */
export function topologyFile({ options }: Arguments): string {
  return named(options['topology'], environment().topology, {
    option: '--topology FILE',
    variable: 'TRIBUTARY_TOPOLOGY',
  });
}

/** @throws TributaryError usage | node_unknown, TopologyInvalid with all problems. */
export async function placeOf(args: Arguments): Promise<Place> {
  const file = topologyFile(args);
  const name = named(args.options['node'], environment().node, {
    option: '--node NAME',
    variable: 'TRIBUTARY_NODE',
  });
  const topology = await loadTopology(file);
  return { file, topology, node: nodeOf(topology, name) };
}

function named(
  option: string | boolean | undefined,
  variable: string | null,
  names: { readonly option: string; readonly variable: string },
): string {
  const value = typeof option === 'string' && option !== '' ? option : variable;
  if (value === null) {
    throw new TributaryError('usage', { missing: `${names.option} or ${names.variable}` });
  }
  return value;
}
