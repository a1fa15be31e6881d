/** What can only be told at the end of a local transaction: constraints that are not enforced under apply, and orphans. */
import type { ReplicatedTable } from '../config/model.ts';
import { keyText, type NewParked, tableText } from '../parking/parked-key.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import { Broken, brokenKeys } from './deferred-check.ts';
import { ForeignKeys } from './foreign-keys.ts';
import { judgeFlags } from './orphan-flags.ts';
import { takeOutOrphans, waitingKeys, wake } from './orphan-waiting.ts';
import { segments } from './segment.ts';
import type { Query } from './session.ts';
import { Tally } from './tally.ts';
import { TouchedRows } from './touched-rows.ts';
import type { Work } from './work.ts';

export interface LeftOut {
  /** Keys this attempt is made without. */
  readonly without: readonly NewParked[];
  /** Absent: parked keys are taken. */
  readonly parked?: ParkedView;
  /** False: orphans are looked for when the table is through. */
  readonly waits?: boolean;
}

export class PartJudge {
  readonly #foreignKeys: ForeignKeys;
  readonly #touched = new TouchedRows();

  constructor(tables: readonly ReplicatedTable[], query: Query) {
    this.#foreignKeys = new ForeignKeys(tables, query);
  }

  /** Nothing is remembered of an attempt that was undone. */
  forget(): void {
    this.#touched.forget();
  }

  /** The catalogue may have changed. */
  reload(): void {
    this.#foreignKeys.reload();
  }

  /** Whether `note` and `judge` have to do with them, constraints that are not enforced aside. @throws the database's error. */
  async concerns(transactions: readonly Transaction[]): Promise<boolean> {
    await this.#foreignKeys.prepare();
    return (
      this.#foreignKeys.all.length > 0 &&
      transactions.some(({ changes }) =>
        changes.some(
          (step) =>
            step.kind === 'truncate' ||
            ('relation' in step && this.#foreignKeys.involves(tableText(step.relation))),
        ),
      )
    );
  }

  /** Remembers what transactions that went in have touched; what was left out is not judged. @throws the database's error. */
  async note(transactions: readonly Transaction[], work: Work): Promise<void> {
    await this.#foreignKeys.prepare();
    if (this.#foreignKeys.all.length > 0) {
      const involved = (relation: Relation): boolean =>
        this.#foreignKeys.involves(tableText(relation));
      const taken = segments(transactions, {
        ...work,
        layoutOf: (relation) => (involved(relation) ? work.layoutOf(relation) : null),
        taking: work.parking.taken,
        tally: new Tally(),
        refuse: () => {},
      });
      this.#touched.note(taken);
    }
  }

  /** Before the commit. Orphans that were left out stand as they did before, and are passed over. @throws Broken */
  async judge(work: Work, { without, parked, waits = true }: LeftOut): Promise<void> {
    const broken = await brokenKeys(work);
    if (broken.length > 0) {
      throw new Broken(broken);
    }
    const { all } = this.#foreignKeys;
    const touched = this.#touched.tables;
    if (touched.size === 0) {
      return;
    }
    await judgeFlags(all, touched, work.query);
    const found = waits ? await waitingKeys(all, touched, work) : [];
    const out = new Set(found.length > 0 ? without.map(keyText) : []);
    const waiting = found.filter((key) => !out.has(keyText(key)) && !parked?.find(key));
    if (waiting.length > 0) {
      throw new Broken(waiting);
    }
    await wake(all, touched, work);
  }

  /** A copied table is through: its orphans are taken out. Their keys. */
  async takeOut(relation: Relation, work: Work): Promise<readonly NewParked[]> {
    const layout = work.layoutOf(relation);
    return layout ? await takeOutOrphans(this.#foreignKeys.all, layout, work) : [];
  }
}
