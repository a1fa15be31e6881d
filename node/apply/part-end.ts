/**
 * How the local transaction of a part ends: with its rows, in one write, or behind what is noted of them. Where another
 * process moved the position or raised the epoch, nothing of the transaction is here.
 */
import type { Log } from '../log.ts';
import { type NewParked, tableText } from '../parking/parked-key.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import { adviceForDrift } from '../parking/table-drift.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { type Committing, commitPosition } from './commit-position.ts';
import { parkedOf } from './key-texts.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Layouts, Uneven } from './layouts.ts';
import type { PartJudge } from './part-judge.ts';
import { noteParked, noteUneven } from './part-noting.ts';
import { changesPublication } from './publication-change.ts';
import type { Session } from './session.ts';
import type { Work } from './work.ts';

export interface PartEndOptions {
  readonly session: Session;
  readonly provider: string;
  readonly epoch: bigint;
  /** As stored in tributary.stream. */
  readonly position: Lsn;
  readonly parked: ParkedView;
  readonly known: KnownKeys;
  readonly layouts: Layouts;
  readonly judge: PartJudge;
  readonly log: Log;
}

export interface EndWithRows {
  /** To be called once the rows are on their way; nothing is sent where some of them are refused. */
  readonly send: () => void;
  /** Null: it was not. */
  readonly sent: () => Promise<void> | null;
}

export interface EndBehindRows extends Omit<Committing, 'completeness'> {
  readonly work: Work;
  /** Keys the part was applied without. */
  readonly without: readonly NewParked[];
}

/** Of so few changes a statement that tells by itself whether it fits costs less than a round trip. */
const endsAtOnce = 64;

export class PartEnd {
  readonly #options: PartEndOptions;
  #position: Lsn;
  #waitedMs = 0;

  constructor(options: PartEndOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** Where the next transaction begins. */
  get position(): Lsn {
    return this.#position;
  }

  /** Spent on waiting for commits, milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** A transaction up to there is committed. */
  reached(position: Lsn): void {
    this.#position = position;
  }

  /**
   * Whether position and commit may leave with the rows, which saves a small part a round trip: nothing is to be asked or
   * noted of them once they are in.
   */
  async mayGoWithRows(
    transactions: readonly Transaction[],
    { part, without }: { readonly part: Part; readonly without: readonly NewParked[] },
  ): Promise<boolean> {
    const { known, parked, layouts, judge } = this.#options;
    const changes = transactions.reduce((sum, each) => sum + each.changes.length, 0);
    return (
      !part.spooled &&
      changes <= endsAtOnce &&
      without.length === 0 &&
      known.quiet &&
      !parked.compares &&
      layouts.uneven.length === 0 &&
      !changesPublication(transactions) &&
      !(await judge.concerns(transactions))
    );
  }

  withRows(position: Lsn, { parking }: Work): EndWithRows {
    let sent: Promise<void> | null = null;
    return {
      send: () => {
        if (parking.refused.length === 0 && !parking.suspends) {
          const committing = { begun: true, carriesCommit: true, publicationChanged: false };
          sent = this.#send(position, { ...committing, completeness: [] });
          // Where the rows did not go in, it only follows them.
          sent.catch(() => {});
        }
      },
      sent: () => sent,
    };
  }

  /** What is to be told of the rows, noted with position and commit. @throws TributaryError fenced; the database's error */
  async behindRows(position: Lsn, { work, without, ...committing }: EndBehindRows): Promise<void> {
    const { judge, layouts, parked } = this.#options;
    await judge.judge(work, { without, parked });
    const refused = await parkedOf(work.parking.refused, work.query);
    const noted = noteParked([...refused, ...without], parked, work.query);
    const uneven = layouts.uneven.filter(
      ({ table, drift }) => !drift || !parked.isBlocked(tableText(table)),
    );
    const unlike = noteUneven(uneven, parked, work.query);
    // crash point: rows-written
    await this.commit(position, {
      ...committing,
      completeness: [...noted.sent, ...unlike.sent],
    });
    noted.committed();
    unlike.committed();
    this.#saySo(uneven);
    layouts.noted();
  }

  /** @throws TributaryError fenced; the database's error */
  async commit(position: Lsn, committing: Committing): Promise<void> {
    await this.waitFor(this.#send(position, committing));
  }

  async waitFor(sent: Promise<void>): Promise<void> {
    const started = performance.now();
    try {
      await sent;
    } finally {
      this.#waitedMs += performance.now() - started;
    }
  }

  async #send(to: Lsn, committing: Committing): Promise<void> {
    const { session, provider, epoch } = this.#options;
    await commitPosition(session, { provider, epoch, from: this.#position, to }, committing);
  }

  #saySo(uneven: readonly Uneven[]): void {
    for (const { table, drift } of uneven) {
      if (drift) {
        const { cause, column, sqlstate } = drift;
        const advice = adviceForDrift(table, drift);
        this.#options.log.warn(
          { table: tableText(table), cause, column, sqlstate, advice },
          'rows of a table are impossible here: its changes are left out, and it comes back by itself once it is mended',
        );
      }
    }
  }
}
