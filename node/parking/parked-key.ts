/** A key that is not level here: its change could not be stored, or it waits for another row. */

/**
 * row_failed: PostgreSQL refuses the row. value_missing: an out-of-line value did not travel with it. update_missing: a
 * row to be changed is not here, and not all of it travelled. origin_violation: the key belongs to a row of another
 * subtree. orphan: the row it refers to has not arrived. rewound: the child went back in time, and what stands here may be
 * the last copy.
 */
export const parkReasons = [
  'row_failed',
  'value_missing',
  'update_missing',
  'origin_violation',
  'orphan',
  'rewound',
] as const;

export type ParkReason = (typeof parkReasons)[number];

/** Names and SQLSTATE only: never a value, never PostgreSQL's words. */
export interface ParkCause {
  readonly reason: ParkReason;
  readonly sqlstate: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  readonly type: string | null;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface KeyOfTable {
  readonly table: TableName;
  /** The key's columns as texts, in their order. */
  readonly key: readonly string[];
}

export interface NewParked extends KeyOfTable, ParkCause {
  /** Null: not known, as for a delete. */
  readonly origin: string | null;
  /** Of an orphan: hash of the row it refers to. */
  readonly waitsFor: bigint | null;
}

export interface Parked extends NewParked {
  readonly provider: string;
  /** Retries that failed. */
  readonly attempts: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly retryAt: Date;
}

/** Nothing but a reason. */
export function because(reason: Exclude<ParkReason, 'row_failed'>): ParkCause {
  return { reason, sqlstate: null, column: null, constraint: null, type: null };
}

export function tableText({ schema, name }: TableName): string {
  return `${schema}.${name}`;
}

/** A key of a table as one text. */
export function keyText({ table, key }: KeyOfTable): string {
  return JSON.stringify([tableText(table), key]);
}

/** Of `schema.name`; only the name may hold dots. */
export function tableNameOf(text: string): TableName {
  const dot = text.indexOf('.');
  return { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}
