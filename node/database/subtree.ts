/** The newest heartbeats of the nodes below this one, as applied here. */
import type { TributaryDatabase } from './tables.ts';

export interface SubtreeHeartbeat {
  readonly origin: string;
  readonly version: string;
  /** Digest of the topology file in force there. */
  readonly topology: string;
  /** As that node wrote it: of any shape, if it runs another version. */
  readonly state: unknown;
}

/** Of the origins that come by way of a child by the file in force; others are of no concern here. */
export async function readSubtree(database: TributaryDatabase): Promise<SubtreeHeartbeat[]> {
  return await database
    .selectFrom('heartbeat')
    .innerJoin('route', 'route.origin', 'heartbeat.node')
    .select(['heartbeat.node as origin', 'version', 'topology', 'state'])
    .orderBy('heartbeat.node')
    .execute();
}
