/**
 * How large a page of a copy is: what a cut link costs is the page on its way and the one that was not written yet, so a
 * page should take little time, and over a link of 64 kbit/s a megabyte takes two minutes; where it takes next to none, the
 * round trips of a page are what costs. Pure.
 */

/** A page is held in memory at both ends, and another one is read ahead. */
const bytes = { least: 32 << 10, first: 128 << 10, most: 1 << 20 } as const;
const quickMs = 150;
const slowMs = 2000;
/** Of the smallest rows there is sense in counting. */
const rowBytes = 200;

export interface PageSize {
  readonly bytes: number;
  readonly rows: number;
}

export const firstPage: PageSize = sizeOf(bytes.first);

/** @param tookMs from the question until all of the page had come */
export function pageAfter(page: PageSize, tookMs: number): PageSize {
  if (tookMs > slowMs) {
    return sizeOf(Math.max(bytes.least, page.bytes >> 1));
  }
  return tookMs < quickMs ? sizeOf(Math.min(bytes.most, page.bytes * 2)) : page;
}

function sizeOf(size: number): PageSize {
  return { bytes: size, rows: Math.ceil(size / rowBytes) };
}
