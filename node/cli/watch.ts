/** Something that looks at this node's own PostgreSQL while this process leads. */
import type { Finding } from '../monitor/finding.ts';

export interface Watch {
  run(signal: AbortSignal): Promise<void>;
  findings(): readonly Finding[];
  /** Walsenders it ended since the start, if it ends any. */
  walsendersEnded?(): number;
}
