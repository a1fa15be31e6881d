/** Names given on a command line: a typing error is told, not answered by "nothing found". */
import { replicationSet } from '../config/built-in.ts';
import type { Topology } from '../config/model.ts';
import { TributaryError } from '../errors.ts';
import { tableText } from '../parking/parked-key.ts';

/** Of any node: what came from one that has moved may still be here. @throws TributaryError stream_unknown, table_unknown */
export function assertKnown(
  topology: Topology,
  { stream, table }: { readonly stream: string | null; readonly table: string | null },
): void {
  if (stream !== null && !topology.nodes.some(({ name }) => name === stream)) {
    throw new TributaryError('stream_unknown', { stream });
  }
  if (table !== null && !replicationSet(topology).some((one) => tableText(one) === table)) {
    throw new TributaryError('table_unknown', { table });
  }
}
