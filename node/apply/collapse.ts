/**
 * Changes of one table, in commit order, to the last state of each key, followed through key changes. Applied as
 * deletes, then updates, then inserts the result is the same as one change after the other, except where a unique
 * value is handed from row to row: then a set fails and the changes are replayed in their order.
 */
import type { Change } from '../pgoutput/change.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { type KeyColumns, oldKeyTuple, rowKey } from './row-key.ts';
import { overlay } from './tuple-overlay.ts';

export interface Collapsed {
  /** Rows that stood here before and go. */
  readonly deletes: readonly KeyedRow[];
  /** Rows made and removed again within the changes: normally not here at all. */
  readonly passing: readonly KeyedRow[];
  /** Rows that stood here before and change. */
  readonly updates: readonly UpdatedRow[];
  /** Rows that are new, or new again after a delete. */
  readonly inserts: readonly KeyedRow[];
  /** Two rows had the same key for a moment (a deferred constraint): only the order of the changes tells them apart. */
  readonly ambiguous: boolean;
}

export interface KeyedRow {
  readonly key: string;
  readonly tuple: Tuple;
}

export interface UpdatedRow extends KeyedRow {
  /** Holds the key the row has here; `key` is its bytes. */
  readonly old: Tuple;
  readonly keyChanged: boolean;
}

interface Live {
  /** The key and its tuple before these changes; null: the row is made by them. */
  readonly origin: KeyedRow | null;
  tuple: Tuple;
}

export function collapse(changes: readonly Change[], columns: KeyColumns): Collapsed {
  const state = new Collapse(columns);
  for (const change of changes) {
    state.add(change);
  }
  return state.result();
}

class Collapse {
  readonly #columns: KeyColumns;
  readonly #live = new Map<string, Live>();
  readonly #deletes = new Map<string, KeyedRow>();
  readonly #passing = new Map<string, KeyedRow>();
  /** Keys whose row lives on under another key. */
  readonly #vacated = new Set<string>();
  #ambiguous = false;

  constructor(columns: KeyColumns) {
    this.#columns = columns;
  }

  add(change: Change): void {
    switch (change.kind) {
      case 'insert':
        this.#insert(newOf(change));
        return;
      case 'update':
        this.#update(change, newOf(change));
        return;
      case 'delete':
        this.#delete(oldKeyTuple(change));
        return;
      default:
        change.kind satisfies never;
    }
  }

  #insert(tuple: Tuple): void {
    const key = rowKey(tuple, this.#columns);
    const live = this.#live.get(key);
    if (live) {
      live.tuple = tuple;
    } else {
      this.#live.set(key, { origin: null, tuple });
    }
  }

  #update(change: Change, tuple: Tuple): void {
    const key = rowKey(tuple, this.#columns);
    const old = oldKeyTuple(change);
    const oldKey = old === tuple ? key : rowKey(old, this.#columns);
    const live = this.#live.get(oldKey);
    const next: Live = live
      ? { origin: live.origin, tuple: overlay(tuple, live.tuple) }
      : { origin: this.#stoodHere(oldKey) ? { key: oldKey, tuple: old } : null, tuple };
    if (key !== oldKey) {
      this.#ambiguous ||= this.#live.has(key);
      this.#live.delete(oldKey);
      if (next.origin?.key === oldKey) {
        this.#vacated.add(oldKey);
      }
    }
    this.#live.set(key, next);
  }

  #delete(old: Tuple): void {
    const key = rowKey(old, this.#columns);
    const live = this.#live.get(key);
    if (!live) {
      this.#deletes.set(key, { key, tuple: old });
      return;
    }
    this.#live.delete(key);
    if (live.origin) {
      this.#deletes.set(live.origin.key, live.origin);
      this.#vacated.delete(live.origin.key);
    } else if (this.#stoodHere(key) && !this.#vacated.has(key)) {
      this.#passing.set(key, { key, tuple: old });
    }
  }

  /** False once the row of that key was deleted by these changes. */
  #stoodHere(key: string): boolean {
    return !this.#deletes.has(key);
  }

  result(): Collapsed {
    const updates: UpdatedRow[] = [];
    const inserts: KeyedRow[] = [];
    for (const [key, { origin, tuple }] of this.#live) {
      if (origin) {
        updates.push({
          key: origin.key,
          old: origin.tuple,
          tuple,
          keyChanged: origin.key !== key,
        });
      } else {
        inserts.push({ key, tuple });
      }
    }
    return {
      deletes: [...this.#deletes.values()],
      passing: [...this.#passing.values()],
      updates,
      inserts,
      ambiguous: this.#ambiguous,
    };
  }
}

function newOf(change: Change): Tuple {
  if (!change.new) {
    throw new RangeError('an insert or update without a new row');
  }
  return change.new;
}
