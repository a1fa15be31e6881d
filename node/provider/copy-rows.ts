/**
 * Rows as COPY sends them in binary format (PostgreSQL manual, "COPY", binary format): a header of 19 bytes or more, then
 * per row the number of fields and each field with its length, then -1. Values stay bytes.
 */
import { TributaryError } from '../errors.ts';
import type { Slots, Tuple, ValueKind } from '../pgoutput/tuple.ts';

const headerBytes = 19;
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

/** Every row of a whole answer; the tuples are views of it. @throws TributaryError protocol */
export function rowsOfCopy(bytes: Buffer, form: 'text' | 'binary'): readonly CopyRow[] {
  if (bytes.length < headerBytes + 2 || !bytes.subarray(0, 11).equals(signature)) {
    throw malformed(0);
  }
  const rows: CopyRow[] = [];
  let at = headerBytes + bytes.readInt32BE(15);
  for (;;) {
    if (at + 2 > bytes.length) {
      throw malformed(at);
    }
    const count = bytes.readInt16BE(at);
    if (count < 0) {
      return rows;
    }
    const start = at;
    at = rowEnd(bytes, at + 2, count);
    rows.push(new CopyRow(bytes, { start, end: at, form }));
  }
}

function rowEnd(bytes: Buffer, start: number, count: number): number {
  let at = start;
  for (let left = count; left > 0; left -= 1) {
    if (at + 4 > bytes.length) {
      throw malformed(at);
    }
    const length = bytes.readInt32BE(at);
    at += 4 + Math.max(0, length);
  }
  if (at > bytes.length) {
    throw malformed(at);
  }
  return at;
}

function malformed(at: number): TributaryError {
  return new TributaryError('protocol', { message: 'rows in COPY format', at });
}

/** One row; a text value is what the output function says, a binary one what the send function does. */
export class CopyRow implements Tuple {
  readonly hasUnchanged = false;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #form: 'text' | 'binary';
  #fields: readonly number[] | null = null;

  constructor(
    bytes: Buffer,
    place: { readonly start: number; readonly end: number; readonly form: 'text' | 'binary' },
  ) {
    this.#bytes = bytes;
    this.#start = place.start;
    this.#end = place.end;
    this.#form = place.form;
  }

  get count(): number {
    return this.#bytes.readInt16BE(this.#start);
  }

  kind(column: number): ValueKind {
    return this.byteLength(column) < 0 ? 'null' : this.#form;
  }

  value(column: number): Buffer | null {
    const length = this.byteLength(column);
    const from = this.#at(column) + 4;
    return length < 0 ? null : this.#bytes.subarray(from, from + length);
  }

  latin1(column: number): string {
    return this.value(column)?.toString('latin1') ?? '';
  }

  byteLength(column: number): number {
    return this.#bytes.readInt32BE(this.#at(column));
  }

  copyValue(column: number, target: Buffer, offset: number): number {
    const length = this.byteLength(column);
    if (length <= 0) {
      return 0;
    }
    const from = this.#at(column) + 4;
    return this.#bytes.copy(target, offset, from, from + length);
  }

  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean {
    if (takesAll(slots)) {
      sizes[0] = (sizes[0] ?? 0) + this.#end - this.#start - 2 - 4 * slots.length;
      return form === this.#form;
    }
    let at = this.#start + 2;
    let fits = true;
    for (const slot of slots) {
      const length = this.#bytes.readInt32BE(at);
      if (slot >= 0 && length >= 0) {
        fits = form === this.#form;
        sizes[slot] = (sizes[slot] ?? 0) + length;
      }
      at += 4 + Math.max(0, length);
    }
    return fits;
  }

  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void {
    const [all] = targets;
    if (all && takesAll(slots)) {
      // Fields stand here as they are wanted: a first copy moves rows, not values.
      const to = offsets[0] ?? 0;
      offsets[0] = to + this.#bytes.copy(all, to, this.#start + 2, this.#end);
      return;
    }
    let at = this.#start + 2;
    for (const slot of slots) {
      const end = at + 4 + Math.max(0, this.#bytes.readInt32BE(at));
      const target = targets[slot];
      if (target) {
        const to = offsets[slot] ?? 0;
        offsets[slot] = to + this.#bytes.copy(target, to, at, end);
      }
      at = end;
    }
  }

  #at(column: number): number {
    this.#fields ??= this.#index();
    const at = this.#fields[column];
    if (at === undefined) {
      throw new RangeError('no such column');
    }
    return at;
  }

  #index(): readonly number[] {
    const fields: number[] = [];
    let at = this.#start + 2;
    for (let left = this.count; left > 0; left -= 1) {
      fields.push(at);
      at += 4 + Math.max(0, this.#bytes.readInt32BE(at));
    }
    return fields;
  }
}

/** Every value goes into the first target, one behind the other. */
function takesAll(slots: Slots): boolean {
  for (const slot of slots) {
    if (slot !== 0) {
      return false;
    }
  }
  return slots.length > 0;
}
