/** Changes made by hand, for tests of what is decided from them alone. */
import type { Change } from '../pgoutput/change.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Step, Transaction } from '../pgoutput/part.ts';
import { measureByColumn, scatterByColumn } from '../pgoutput/tuple-columns.ts';
import type { Slots, Tuple, ValueKind } from '../pgoutput/tuple.ts';

/** undefined: out of line and unchanged. */
export type Value = string | null | undefined;

export class PlainTuple implements Tuple {
  readonly #values: readonly Value[];
  readonly #form: 'text' | 'binary';

  constructor(values: readonly Value[], form: 'text' | 'binary' = 'text') {
    this.#values = values;
    this.#form = form;
  }

  get count(): number {
    return this.#values.length;
  }

  get hasUnchanged(): boolean {
    return this.#values.includes(undefined);
  }

  kind(column: number): ValueKind {
    const value = this.#values[column];
    return value === undefined ? 'unchanged' : value === null ? 'null' : this.#form;
  }

  value(column: number): Buffer | null {
    const value = this.#values[column];
    if (value === undefined) {
      throw new RangeError('unchanged');
    }
    return value === null ? null : Buffer.from(value);
  }

  latin1(column: number): string {
    return this.value(column)?.toString('latin1') ?? '';
  }

  byteLength(column: number): number {
    return this.value(column)?.length ?? -1;
  }

  copyValue(column: number, target: Buffer, offset: number): number {
    return this.value(column)?.copy(target, offset) ?? 0;
  }

  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean {
    return measureByColumn(this, slots, { form, sizes });
  }

  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void {
    scatterByColumn(this, slots, { targets, offsets });
  }
}

/** Text columns; the first `keys` of them are the replica identity. */
export function relationOf(names: readonly string[], keys = 1): Relation {
  return {
    kind: 'relation',
    oid: 1,
    schema: 'public',
    name: 'visit',
    replicaIdentity: 'i',
    columns: names.map((name, index) => ({
      name,
      identity: index < keys,
      typeOid: 25,
      typeModifier: -1,
    })),
  };
}

export interface Row {
  readonly old?: readonly Value[];
  readonly new?: readonly Value[];
}

export function change(kind: Change['kind'], relation: Relation, row: Row): Change {
  return {
    kind,
    relation,
    message: Buffer.alloc(0),
    old: row.old ? new PlainTuple(row.old) : null,
    oldIsWhole: false,
    new: row.new ? new PlainTuple(row.new) : null,
  };
}

export function transactionOf(changes: readonly Step[], endLsn = 1n): Transaction {
  return {
    xid: 1,
    commitLsn: endLsn as Lsn,
    endLsn: endLsn as Lsn,
    commitTime: 0n,
    changes,
  };
}
