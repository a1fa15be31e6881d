/**
 * What is not level of one stream, in memory: keys that are parked, tables that are blocked, tables that are compared. Shared
 * by apply, which leaves out later changes of these keys, and by retry, which frees them. Changed only after the
 * transaction that changed the tables has committed.
 */
import { begunTables } from '../database/reconcile-tables.ts';
import type { KeyOfTable, NewParked, ParkReason, TableName } from './parked-key.ts';
import { tableText } from './parked-key.ts';
import { blockedTables } from './blocked-table.ts';
import type { ParkQuery } from './parked-table.ts';

export interface ViewedKey {
  readonly key: readonly string[];
  readonly origin: string | null;
  reason: ParkReason;
  /** Changes of the key that were left out since the process started: a retry that sees it grow reads again. */
  leftOut: number;
}

export type Comparing = 'walking' | 'settling';

/** Keys of a table and stream, those that wait for a referenced row or for a person not counted, beyond which the table is blocked. */
export const mostParked = 10_000;

export class ParkedView {
  readonly provider: string;
  readonly #tables = new Map<string, Map<string, ViewedKey>>();
  readonly #blocked = new Set<string>();
  readonly #compared = new Map<string, Comparing>();
  #version = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(provider: string) {
    this.provider = provider;
  }

  /** Nothing is parked and nothing blocked. */
  get quiet(): boolean {
    return this.#tables.size === 0 && this.#blocked.size === 0;
  }

  /** Changes whenever the set of keys does. */
  get version(): number {
    return this.#version;
  }

  keysOf(table: string): ReadonlyMap<string, ViewedKey> {
    return this.#tables.get(table) ?? none;
  }

  isBlocked(table: string): boolean {
    return this.#blocked.has(table);
  }

  get blocked(): ReadonlySet<string> {
    return this.#blocked;
  }

  /** Whether a comparison of some table has begun and not ended. */
  get compares(): boolean {
    return this.#compared.size > 0;
  }

  /** Null: not compared. settling: it is through, and only the keys that were noted are open. */
  phaseOf(table: string): Comparing | null {
    return this.#compared.get(table) ?? null;
  }

  /** Before anything of it is read, and before what was noted is settled. */
  compare(table: TableName, phase: Comparing): void {
    this.#compared.set(tableText(table), phase);
  }

  endComparing(table: TableName): void {
    this.#compared.delete(tableText(table));
  }

  find({ table, key }: KeyOfTable): ViewedKey | null {
    return this.#tables.get(tableText(table))?.get(JSON.stringify(key)) ?? null;
  }

  /** Nothing touches a key that may be the last copy. */
  isRewound(key: KeyOfTable): boolean {
    return this.find(key)?.reason === 'rewound';
  }

  /** Keys of a table that count towards its bound. */
  counted(table: string): number {
    let count = 0;
    for (const { reason } of this.keysOf(table).values()) {
      count += reason === 'orphan' || reason === 'rewound' ? 0 : 1;
    }
    return count;
  }

  /** By table and reason. */
  counts(): readonly {
    readonly table: string;
    readonly reason: ParkReason;
    readonly count: number;
  }[] {
    const found = new Map<string, { table: string; reason: ParkReason; count: number }>();
    for (const [table, keys] of this.#tables) {
      for (const { reason } of keys.values()) {
        const name = `${reason} ${table}`;
        const one = found.get(name) ?? { table, reason, count: 0 };
        one.count += 1;
        found.set(name, one);
      }
    }
    return [...found.values()];
  }

  add(keys: readonly NewParked[]): void {
    for (const { table, key, origin, reason } of keys) {
      const name = tableText(table);
      const known = this.#tables.get(name) ?? new Map<string, ViewedKey>();
      this.#tables.set(name, known);
      const text = JSON.stringify(key);
      const one = known.get(text);
      if (!one) {
        known.set(text, { key, origin, reason, leftOut: 0 });
        this.#version += 1;
      } else if (one.reason !== 'rewound') {
        one.reason = reason;
      }
    }
  }

  /** Rewound keys, by a person's word; every other way they stay. */
  free(keys: readonly KeyOfTable[]): void {
    for (const key of keys) {
      const one = this.find(key);
      if (one) {
        one.reason = 'update_missing';
      }
    }
  }

  remove(keys: readonly KeyOfTable[]): void {
    for (const { table, key } of keys.filter((one) => !this.isRewound(one))) {
      const name = tableText(table);
      const known = this.#tables.get(name);
      if (known?.delete(JSON.stringify(key))) {
        this.#version += 1;
        if (known.size === 0) {
          this.#tables.delete(name);
        }
      }
    }
  }

  block(table: TableName): void {
    this.#blocked.add(tableText(table));
  }

  unblock(table: TableName): void {
    this.#blocked.delete(tableText(table));
  }

  /** One local transaction of the stream at a time: a part, or a retry. */
  async exclusive<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.then(
      () => {},
      () => {},
    );
    return await turn;
  }

  /** Makes it what the tables say. */
  async load(query: ParkQuery): Promise<void> {
    const { rows } = await query(
      `select p.schema_name, p.table_name, p.key, p.origin, p.reason from tributary.parked p where p.provider = $1`,
      [this.provider],
    );
    const blocked = await blockedTables(query, this.provider);
    const compared = await begunTables(query, this.provider);
    this.#tables.clear();
    this.#blocked.clear();
    this.#compared.clear();
    this.#version += 1;
    this.add((rows as LoadedRow[]).map(newParkedOf));
    blocked.forEach((table) => this.block(table));
    compared.forEach((table) => this.compare(table, table.held ? 'settling' : 'walking'));
  }
}

const none: ReadonlyMap<string, ViewedKey> = new Map();

interface LoadedRow {
  readonly schema_name: string;
  readonly table_name: string;
  readonly key: readonly string[];
  readonly origin: string | null;
  readonly reason: ParkReason;
}

function newParkedOf(row: LoadedRow): NewParked {
  return {
    table: { schema: row.schema_name, name: row.table_name },
    key: row.key,
    origin: row.origin,
    reason: row.reason,
    sqlstate: null,
    column: null,
    constraint: null,
    type: null,
    waitsFor: null,
  };
}
