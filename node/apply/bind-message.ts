/**
 * Bind with its parameters as the buffers they are (PostgreSQL manual, "Message Formats"). pg lays them into one message
 * that grows as it is filled, and is copied into new memory each time it grows.
 */
import type pg from 'pg';

/** What we use of pg's Connection, which its types leave out. */
interface Wire {
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): void };
  bind(config: BindConfig): void;
}

interface BindConfig {
  readonly portal?: string | undefined;
  readonly statement?: string | undefined;
  readonly values?: readonly unknown[] | undefined;
  readonly binary?: boolean | undefined;
}

/** Of what is smaller one message is cheaper than many pieces. */
const leastBytes = 16 << 10;
const letter = 0x42;

/** From now on large parameters of the client's statements leave as they are. */
export function bindWithoutCopies(client: pg.Client): void {
  const wire = (client as unknown as { readonly connection: Wire }).connection;
  const bind = wire.bind.bind(wire);
  wire.bind = (config): void => {
    const values = config.values ?? [];
    if (!wire.stream.writable || !isLarge(values)) {
      bind(config);
      return;
    }
    for (const piece of bindMessage(values, config)) {
      wire.stream.write(piece);
    }
  };
}

function isLarge(values: readonly unknown[]): values is readonly (Buffer | string)[] {
  let bytes = 0;
  for (const value of values) {
    if (!(value instanceof Buffer) && typeof value !== 'string') {
      return false;
    }
    bytes += value.length;
  }
  return bytes >= leastBytes;
}

/** The message in pieces: texts in text form, buffers in binary form, the answer in the form asked for. */
function bindMessage(
  values: readonly (Buffer | string)[],
  { portal = '', statement = '', binary = false }: BindConfig,
): readonly Buffer[] {
  const names = Buffer.from(`${portal}\0${statement}\0`);
  const bytes = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
  const head = Buffer.allocUnsafe(5 + names.length + 4 + 2 * values.length);
  const tail = Buffer.from([0, 1, 0, binary ? 1 : 0]);
  const size = bytes.reduce((sum, value) => sum + 4 + value.length, head.length + tail.length);
  head.writeUInt8(letter, 0);
  head.writeInt32BE(size - 1, 1);
  names.copy(head, 5);
  let at = head.writeInt16BE(values.length, 5 + names.length);
  for (const value of values) {
    at = head.writeInt16BE(typeof value === 'string' ? 0 : 1, at);
  }
  head.writeInt16BE(values.length, at);
  const pieces: Buffer[] = [head];
  for (const value of bytes) {
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(value.length);
    pieces.push(length, value);
  }
  return [...pieces, tail];
}
