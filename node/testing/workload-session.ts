/**
 * One clerk's transactions: drafts, approvals, edits, withdrawals and deletes of rows of its own, chosen by a seed. It
 * remembers what is committed; after a lost connection it reads that again, since whether the last transaction was
 * committed is unknown.
 */
import type pg from 'pg';
import { CaseDesk } from './case-desk.ts';
import type { Random } from './random.ts';
import { SideDesk } from './side-desk.ts';

/** How often each action is chosen, relative to the others. */
export const usualWeights = {
  draft: 20,
  enterApproved: 6,
  approve: 18,
  editSmall: 14,
  editLarge: 6,
  editDraft: 4,
  withdraw: 8,
  remove: 8,
  removeDraft: 2,
  changeKey: 3,
  changeKeyAndApprove: 2,
  deleteAndReinsert: 2,
  moveTicket: 4,
  bulk: 1,
  facility: 4,
  facilityKey: 1,
  laboratory: 12,
  truncateLaboratory: 0,
} as const;

export type Action = keyof typeof usualWeights;

export interface SessionOptions {
  readonly random: Random;
  /** Marks the rows. */
  readonly name: string;
  readonly largeBytes: number;
  readonly count: (action: string) => void;
}

export class WorkloadSession {
  readonly #random: Random;
  readonly #count: (action: string) => void;
  readonly #cases: CaseDesk;
  readonly #side: SideDesk;
  #client: pg.Client;

  constructor(client: pg.Client, options: SessionOptions) {
    const clerk = {
      ...options,
      run: async (sql: string, values: unknown[]): Promise<void> => {
        await this.#client.query(sql, values);
      },
      rows: async <R extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<R[]> =>
        (await this.#client.query<R>(sql, values)).rows,
    };
    this.#client = client;
    this.#random = options.random;
    this.#count = options.count;
    this.#side = new SideDesk(clerk);
    this.#cases = new CaseDesk(clerk, () => this.#side.anyFacility());
  }

  /** Goes on over another connection; reads what is committed. */
  async reconnect(client: pg.Client): Promise<void> {
    this.#client = client;
    await this.#cases.reload();
    await this.#side.reload();
  }

  /** One transaction of several actions, with savepoints; some are rolled back, whole or in part. */
  async transaction(weights: Readonly<Record<Action, number>>): Promise<void> {
    const forget = this.#remember();
    await this.#client.query('begin');
    const actions = 1 + this.#random.below(6);
    for (let at = 0; at < actions; at += 1) {
      const action = this.#random.weighted(weights);
      if (this.#random.chance(0.08)) {
        await this.#inSavepoint(action);
      } else if (await this.#act(action)) {
        this.#count(action);
      }
    }
    if (this.#random.chance(0.05)) {
      await this.#client.query('rollback');
      forget();
      this.#count('rolledBack');
    } else {
      await this.#client.query('commit');
      this.#count('committed');
    }
  }

  async #inSavepoint(action: Action): Promise<void> {
    const forget = this.#remember();
    await this.#client.query('savepoint s');
    await this.#act(action);
    await this.#client.query('rollback to savepoint s');
    forget();
    this.#count('savepoint');
  }

  /** False: no row for it now. */
  async #act(action: Action): Promise<boolean> {
    switch (action) {
      case 'facility':
      case 'facilityKey':
      case 'laboratory':
      case 'truncateLaboratory':
        return await this.#side[action]();
      default:
        return await this.#cases[action]();
    }
  }

  #remember(): () => void {
    const forgets = [this.#cases.remember(), this.#side.remember()];
    return () => {
      for (const forget of forgets) {
        forget();
      }
    };
  }
}
