/** A key of texts as `rowKey` says it of a tuple of the stream, and as a tuple. Pure. */
import { measureByColumn, scatterByColumn } from '../pgoutput/tuple-columns.ts';
import type { Slots, Tuple, ValueKind } from '../pgoutput/tuple.ts';
import type { Key } from '../provider/reader.ts';
import type { TablePlan } from './table-plan.ts';

const uuid = 2950;
const texts: ReadonlySet<number> = new Set([25, 1043]);
const integers: ReadonlyMap<number, 2 | 4 | 8> = new Map([
  [21, 2],
  [23, 4],
  [20, 8],
]);

/** @throws RangeError for a binary key of a type that no stream is asked for in binary form with. */
export function keyIdentity(key: Key, plan: TablePlan, form: 'text' | 'binary'): string {
  const parts = bytesOf(key, plan, form);
  if (parts.length === 1) {
    return parts[0]?.toString('latin1') ?? '';
  }
  return parts
    .map((part) => part.toString('latin1'))
    .map((bytes) => `${bytes}\u0000${bytes.length}\u0001`)
    .join('');
}

/** The key of a tuple as texts. @throws RangeError as `keyIdentity`. */
export function keyOf(tuple: Tuple, plan: TablePlan, form: 'text' | 'binary'): Key {
  return plan.keyIndexes.map((index, n) => {
    const bytes = tuple.value(index) ?? Buffer.alloc(0);
    return form === 'text' ? bytes.toString('utf8') : textOf(bytes, plan.keyTypeOids[n] ?? 0);
  });
}

function bytesOf(key: Key, plan: TablePlan, form: 'text' | 'binary'): readonly Buffer[] {
  return key.map((text, n) =>
    form === 'text' ? Buffer.from(text) : binaryOf(text, plan.keyTypeOids[n] ?? 0),
  );
}

function binaryOf(text: string, typeOid: number): Buffer {
  const bytes = integers.get(typeOid);
  if (typeOid === uuid) {
    return Buffer.from(text.replaceAll('-', ''), 'hex');
  }
  if (bytes !== undefined) {
    const whole = Buffer.alloc(8);
    whole.writeBigInt64BE(BigInt(text));
    return whole.subarray(8 - bytes);
  }
  return Buffer.from(asText(text, typeOid));
}

function textOf(bytes: Buffer, typeOid: number): string {
  if (typeOid === uuid) {
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  if (integers.has(typeOid)) {
    return String(bytes.length === 8 ? bytes.readBigInt64BE(0) : bytes.readIntBE(0, bytes.length));
  }
  return asText(bytes.toString('utf8'), typeOid);
}

function asText(text: string, typeOid: number): string {
  if (!texts.has(typeOid)) {
    throw new RangeError('the binary form of the key is not known');
  }
  return text;
}

/** A tuple of the plan's relation with the key's columns, in the form of the stream, and nothing else. */
export class KeyTuple implements Tuple {
  readonly count: number;
  readonly hasUnchanged = false;
  readonly #form: 'text' | 'binary';
  readonly #values: ReadonlyMap<number, Buffer>;

  /** @throws RangeError as `keyIdentity`. */
  constructor(key: Key, plan: TablePlan, form: 'text' | 'binary') {
    this.count = plan.relation.columns.length;
    this.#form = form;
    const bytes = bytesOf(key, plan, form);
    this.#values = new Map(
      plan.keyIndexes.map((index, n) => [index, bytes[n] ?? Buffer.alloc(0)] as const),
    );
  }

  kind(column: number): ValueKind {
    return this.#values.has(column) ? this.#form : 'null';
  }

  value(column: number): Buffer | null {
    return this.#values.get(column) ?? null;
  }

  byteLength(column: number): number {
    return this.#values.get(column)?.length ?? -1;
  }

  copyValue(column: number, target: Buffer, offset: number): number {
    return this.#values.get(column)?.copy(target, offset) ?? 0;
  }

  latin1(column: number): string {
    return this.#values.get(column)?.toString('latin1') ?? '';
  }

  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean {
    return measureByColumn(this, slots, { form, sizes });
  }

  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void {
    scatterByColumn(this, slots, { targets, offsets });
  }
}
