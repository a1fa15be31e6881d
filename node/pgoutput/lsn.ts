/** Log positions: a branded bigint inside, `16/B374D848` outside (PostgreSQL, "pg_lsn type"). */
export type Lsn = bigint & { readonly __lsn: true };

export const noLsn = 0n as Lsn;

/** @throws RangeError when the text is not two hexadecimal halves of at most eight digits. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) {
    throw new RangeError('not a log position');
  }
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

export function readLsn(buffer: Buffer, offset: number): Lsn {
  return buffer.readBigUInt64BE(offset) as Lsn;
}

export function laterOf(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b;
}

const pageBytes = 8192n;
const pageHeaders = [24n, 40n];

/**
 * Where the last record ends, of a position at which the next one begins: at a page boundary the two differ by the
 * page's header (SizeOfXLogShortPHD 24, of a segment's first page SizeOfXLogLongPHD 40; access/xlog_internal.h), and a
 * stream of an idle server would never reach the latter.
 */
export function withoutPageHeader(lsn: Lsn): Lsn {
  const inPage = lsn % pageBytes;
  return pageHeaders.includes(inPage) ? ((lsn - inPage) as Lsn) : lsn;
}
