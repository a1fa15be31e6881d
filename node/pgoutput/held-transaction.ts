/**
 * A transaction that waits for apply, as the frames it came in. Its changes are made when they are asked for: thousands
 * of waiting objects would be copied and traced by the garbage collector again and again, half of the time this process
 * once took to drain a backlog; frames are memory it does not look into.
 */
import type { FrameRun } from './frames.ts';
import type { Lsn } from './lsn.ts';
import type { Relation } from './messages.ts';
import type { Step, Transaction } from './part.ts';
import { readFrames } from './read-frames.ts';
import type { RelationMap } from './row-change.ts';

type Outline = Pick<HeldTransaction, 'xid' | 'commitLsn' | 'endLsn' | 'commitTime' | 'rowsOnly'>;

export class HeldTransaction implements Transaction {
  readonly xid: number;
  readonly commitLsn: Lsn;
  readonly endLsn: Lsn;
  readonly commitTime: bigint;
  readonly rowsOnly: boolean;
  readonly #frames: readonly FrameRun[];
  readonly #relations: RelationMap;
  readonly #told: readonly Relation[];
  #changes: readonly Step[] | null = null;

  /** @param relations those in force at its begin, not changed any more, and those told in it */
  constructor(
    outline: Outline,
    frames: readonly FrameRun[],
    relations: { readonly before: RelationMap; readonly told: readonly Relation[] },
  ) {
    this.xid = outline.xid;
    this.commitLsn = outline.commitLsn;
    this.endLsn = outline.endLsn;
    this.commitTime = outline.commitTime;
    this.rowsOnly = outline.rowsOnly;
    this.#frames = frames;
    this.#relations = relations.before;
    this.#told = relations.told;
  }

  get changes(): readonly Step[] {
    this.#changes ??= this.#read();
    return this.#changes;
  }

  forget(): void {
    this.#changes = null;
  }

  #read(): readonly Step[] {
    let relations = this.#relations;
    const told = this.#told.values();
    const read = this.#frames.map((run) => {
      const part = readFrames(run, relations, told);
      ({ relations } = part);
      return part.steps;
    });
    const [only = []] = read;
    return read.length <= 1 ? only : read.flat();
  }
}
