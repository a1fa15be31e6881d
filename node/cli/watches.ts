/** What looks at this node's own PostgreSQL while this process serves it. */
import type pg from 'pg';
import type { Topology } from '../config/model.ts';
import type { Log } from '../log.ts';
import { SlotWatch } from '../provider/slot-watch.ts';
import { PublicationWatch } from '../publish/watch.ts';
import type { Watch } from './node-service.ts';

export interface WatchOptions {
  readonly pool: pg.Pool;
  /** The one in force. */
  readonly topology: () => Topology;
  readonly node: string;
  readonly log: Log;
}

export function nodeWatches(options: WatchOptions): readonly Watch[] {
  const slots = new SlotWatch(options);
  return [
    {
      run: async (signal) => await slots.run(signal),
      findings: () => [],
      walsendersEnded: () => slots.ended,
    },
    new PublicationWatch(options),
  ];
}
