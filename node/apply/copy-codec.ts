/**
 * Rows as `copy ... from stdin (format binary)` takes them, in the CopyData messages they are sent in (PostgreSQL manual,
 * "COPY" and "Message Formats"). The bytes of each value pass through untouched.
 */
import { BufferPool } from '../pgoutput/buffer-pool.ts';
import { slotsFor, type Tuple } from '../pgoutput/tuple.ts';

const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const copyData = 0x64;
const messageHeader = 5;
/** Of what was stored. */
const keptBytes = 8 << 20;
const buffers = new BufferPool(keptBytes);

/** The server works on one message while the next comes. */
const messageBytes = 64 * 1024;

/** What was encoded has been read by the server, and is looked at no more. */
export function reuse(messages: Buffer): void {
  buffers.give(messages);
}

export interface CopyOptions {
  /** Positions of the columns, ascending. */
  readonly columns: readonly number[];
  /** A value behind those of every row; null: none. */
  readonly constant: Buffer | null;
}

/**
 * All rows, whole messages one behind the other. Null when a value is in text form.
 * @throws RangeError for an unchanged value.
 */
export function encodeCopy(tuples: readonly Tuple[], options: CopyOptions): Buffer | null {
  const { columns, constant } = options;
  const slots = slotsFor(columns, tuples[0]?.count ?? 0, 'one');
  const values = new Uint32Array(1);
  let fits = true;
  for (const tuple of tuples) {
    fits = tuple.measure(slots, 'binary', values) && fits;
  }
  if (!fits) {
    return null;
  }
  const perRow = 2 + 4 * columns.length + (constant ? 4 + constant.length : 0);
  const bytes = header.length + (values[0] ?? 0) + perRow * tuples.length + 2;
  const messages = new Messages(bytes);
  for (const tuple of tuples) {
    messages.row(columns.length + (constant ? 1 : 0));
    tuple.scatter(slots, messages.targets, messages.offset);
    if (constant) {
      messages.value(constant);
    }
  }
  return messages.end();
}

class Messages {
  readonly #bytes: Buffer;
  readonly targets: readonly Buffer[];
  /** Where the next byte goes, as the only element. */
  readonly offset = new Uint32Array(1);
  #start = 0;

  constructor(bytes: number) {
    const most = Math.ceil(bytes / messageBytes) + 1;
    this.#bytes = buffers.take(bytes + most * messageHeader);
    this.targets = [this.#bytes];
    this.#open(0);
    this.#move(header.copy(this.#bytes, this.#at));
  }

  /** Begins a row of so many values. */
  row(count: number): void {
    if (this.#at - this.#start > messageBytes) {
      this.#close();
      this.#open(this.#at);
    }
    this.#bytes.writeInt16BE(count, this.#at);
    this.#move(2);
  }

  value(bytes: Buffer): void {
    this.#bytes.writeInt32BE(bytes.length, this.#at);
    bytes.copy(this.#bytes, this.#at + 4);
    this.#move(4 + bytes.length);
  }

  end(): Buffer {
    this.#bytes.writeInt16BE(-1, this.#at);
    this.#move(2);
    this.#close();
    return this.#bytes.subarray(0, this.#at);
  }

  get #at(): number {
    return this.offset[0] ?? 0;
  }

  #move(bytes: number): void {
    this.offset[0] = this.#at + bytes;
  }

  #open(at: number): void {
    this.#start = at;
    this.#bytes.writeUInt8(copyData, at);
    this.offset[0] = at + messageHeader;
  }

  #close(): void {
    this.#bytes.writeInt32BE(this.#at - this.#start - 1, this.#start + 1);
  }
}
