/** One table of one stream while it is made equal: both sides of it, and what they share. */
import type { Query } from '../database/query.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Reader } from '../provider/reader.ts';
import type { LocalRanges } from './local-ranges.ts';
import type { StreamSide } from './stream-side.ts';
import type { TablePlan } from './table-plan.ts';

export interface TableSide {
  readonly stream: StreamSide;
  readonly reader: Reader;
  readonly plan: TablePlan;
  readonly local: LocalRanges;
  /** This node's own database, apart from the transactions of rows. */
  readonly query: Query;
  readonly signal: AbortSignal;
  /** Its rows are the provider's first ones: it may take over what stands here under this node's name. */
  readonly adopting?: boolean;
}

/** Waits until the stream has passed a position of the provider, also while nothing changes there. */
export async function passed({ stream, signal }: TableSide, position: Lsn): Promise<void> {
  stream.provider.hasten(position);
  await stream.position.reached(position, signal);
}
