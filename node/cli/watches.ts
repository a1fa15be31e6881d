/** What looks at this node's own PostgreSQL while this process serves it. */
import type pg from 'pg';
import type { NodeConfig, Topology } from '../config/model.ts';
import type { Log } from '../log.ts';
import { SlotWatch } from '../provider/slot-watch.ts';
import { PublicationWatch } from '../publish/watch.ts';
import type { Watch } from './node-service.ts';

export interface WatchOptions {
  readonly pool: pg.Pool;
  readonly topology: Topology;
  readonly node: NodeConfig;
  readonly log: Log;
}

export function nodeWatches({ pool, topology, node, log }: WatchOptions): readonly Watch[] {
  const slots = new SlotWatch({ pool, log });
  const publication = new PublicationWatch({
    pool,
    topology: () => topology,
    node: node.name,
    log,
  });
  return [{ run: async (signal) => await slots.run(signal), findings: () => [] }, publication];
}
