/** What looks at this node's own PostgreSQL while this process serves it. */
import type pg from 'pg';
import type { Topology } from '../config/model.ts';
import { nodeOf } from '../config/tree.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import type { Log } from '../log.ts';
import { SchemaWatch } from '../parking/schema-watch.ts';
import { SlotWatch } from '../provider/slot-watch.ts';
import { UnusedSlots } from '../provider/unused-slots.ts';
import { PublicationWatch } from '../publish/watch.ts';
import type { Watch } from './watch.ts';

export interface WatchOptions {
  readonly pool: pg.Pool;
  readonly database: TributaryDatabase;
  /** The one in force. */
  readonly topology: () => Topology;
  readonly node: string;
  readonly log: Log;
}

export function nodeWatches(options: WatchOptions): readonly Watch[] {
  const { topology, node } = options;
  const slots = new SlotWatch(options);
  const parent = (): string | null => nodeOf(topology(), node).parent;
  return [
    {
      run: async (signal) => await slots.run(signal),
      findings: () => [],
      walsendersEnded: () => slots.ended,
    },
    new PublicationWatch(options),
    new UnusedSlots({ ...options, parent }),
    new SchemaWatch({ pool: options.pool }),
  ];
}
