/**
 * What the stream has applied here, as far as reading ranges beside it must know: transactions that a snapshot of the
 * provider may not see yet although they are applied here, and the keys touched since a range was begun to be read.
 * Outlives connections; begins anew with the process. Pure.
 */
import { changesPublication } from '../apply/publication-change.ts';
import { rowKey } from '../apply/row-key.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import { sees, type Snapshot } from '../provider/snapshot.ts';

/** Beyond it the ids are forgotten and those running at the provider are asked for anew. */
const maxXids = 200_000;
/** Touched keys of one watch; beyond it the range is read again. */
const maxTouched = 50_000;

export class Trail {
  /** In the order they came: one is added for every transaction, and they are seldom looked for. */
  #xids: number[] = [];
  readonly #watches = new Set<Watch>();
  #based = false;
  #era = 0;

  /** False: ask the provider which transactions run now, and call `rebase`. */
  get based(): boolean {
    return this.#based;
  }

  /** Another after what was asked before counts no more. */
  get era(): number {
    return this.#era;
  }

  /**
   * Transactions that run at the provider now: an earlier process may have applied one of them, or one wrote to a table
   * before it was published. A snapshot must see the end of each.
   */
  rebase(running: ReadonlySet<number>, asked = this.#era): void {
    const known = new Set(this.#xids);
    this.#xids.push(...[...running].filter((xid) => !known.has(xid)));
    this.#based = asked === this.#era;
  }

  /** A new slot: what ran when it was made counts as applied; ids from before may be of another server. */
  restart(): void {
    this.#xids = [];
    this.#unbase();
  }

  /** What is about to be applied: whole transactions, or the first slice of one that was spooled. */
  observe(transactions: readonly Transaction[], { spooled }: { readonly spooled: boolean }): void {
    for (const { xid } of transactions) {
      this.#xids.push(xid);
    }
    // What ran when the publication changed must have ended before a snapshot is of use: it may have written to a table before
    // that was published. Of a spooled transaction only the first slice is seen, and the rest may change it.
    if (spooled || changesPublication(transactions)) {
      this.#unbase();
    }
    if (this.#xids.length > maxXids) {
      this.#xids = [];
      this.#unbase();
    }
    for (const watch of this.#watches) {
      watch.note(transactions, spooled);
    }
  }

  /** Whether everything applied here before the watch began is visible there. */
  isSeen(snapshot: Snapshot, watch: Watch): boolean {
    const unseen = new Set<number>();
    for (const xid of watch.before) {
      if (!sees(snapshot, xid)) {
        unseen.add(xid);
      }
    }
    this.#xids = this.#xids.filter((xid) => unseen.has(xid) || !watch.before.has(xid));
    return this.#based && unseen.size === 0;
  }

  #unbase(): void {
    this.#based = false;
    this.#era += 1;
  }

  /** Notes the keys of a table touched from now on. To be begun before the snapshot is taken. */
  watch(table: WatchedTable): Watch {
    const watch = new Watch(table, new Set(this.#xids), (ended) => this.#watches.delete(ended));
    this.#watches.add(watch);
    return watch;
  }
}

export interface WatchedTable {
  readonly schema: string;
  readonly name: string;
  readonly key: readonly string[];
}

export class Watch implements Disposable {
  /** Applied here before it began, as far as not known to be visible at the provider. */
  readonly before: ReadonlySet<number>;
  readonly #table: WatchedTable;
  readonly #end: (watch: Watch) => void;
  readonly #touched: { readonly xid: number; readonly key: string | null }[] = [];
  readonly #indexes = new WeakMap<Relation, readonly number[]>();
  #lost = false;

  constructor(table: WatchedTable, before: ReadonlySet<number>, end: (watch: Watch) => void) {
    this.before = before;
    this.#table = table;
    this.#end = end;
  }

  note(transactions: readonly Transaction[], spooled: boolean): void {
    for (const { xid, changes } of transactions) {
      if (spooled) {
        this.#add(xid, null);
        continue;
      }
      for (const step of changes) {
        if (step.kind === 'message') {
          continue;
        }
        if (step.kind === 'truncate') {
          if (step.relations.some((relation) => this.#concerns(relation))) {
            this.#add(xid, null);
          }
        } else if (this.#concerns(step.relation)) {
          this.#noteRow(xid, step);
        }
      }
    }
  }

  /**
   * Keys (as `rowKey`) that transactions the snapshot does not see have touched: they are the stream's. `all`: too many
   * to remember, or the whole table; the range is to be read again.
   */
  touched(snapshot: Snapshot): ReadonlySet<string> | 'all' {
    const keys = new Set<string>();
    if (this.#lost) {
      return 'all';
    }
    for (const { xid, key } of this.#touched) {
      if (!sees(snapshot, xid)) {
        if (key === null) {
          return 'all';
        }
        keys.add(key);
      }
    }
    return keys;
  }

  [Symbol.dispose](): void {
    this.#end(this);
  }

  #noteRow(xid: number, change: Change): void {
    const indexes = this.#indexesOf(change.relation);
    for (const tuple of [change.old, change.new]) {
      if (tuple) {
        this.#add(xid, rowKey(tuple, indexes));
      }
    }
  }

  #add(xid: number, key: string | null): void {
    const last = this.#touched.at(-1);
    if (last?.xid === xid && last.key === key) {
      return;
    }
    if (this.#touched.length >= maxTouched) {
      this.#lost = true;
      this.#touched.length = 0;
    }
    if (!this.#lost) {
      this.#touched.push({ xid, key });
    }
  }

  #concerns({ schema, name }: Relation): boolean {
    return schema === this.#table.schema && name === this.#table.name;
  }

  #indexesOf(relation: Relation): readonly number[] {
    const known = this.#indexes.get(relation);
    if (known) {
      return known;
    }
    const indexes = this.#table.key.map((name) =>
      relation.columns.findIndex((column) => column.name === name),
    );
    this.#indexes.set(relation, indexes);
    return indexes;
  }
}
