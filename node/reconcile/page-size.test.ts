import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPage, pageAfter, type PageSize } from './page-size.ts';

/** Milliseconds that pages take over a link of so many bytes a second, the first sixteen. */
function timesOver(bytesPerSecond: number): readonly number[] {
  const times: number[] = [];
  let page: PageSize = firstPage;
  for (let n = 0; n < 16; n += 1) {
    const tookMs = 20 + (1000 * page.bytes) / bytesPerSecond;
    times.push(tookMs);
    page = pageAfter(page, tookMs);
  }
  return times;
}

void test('pages grow to a megabyte where they take next to no time', () => {
  let page = firstPage;
  for (let n = 0; n < 4; n += 1) {
    page = pageAfter(page, 20);
  }
  assert.equal(page.bytes, 1 << 20);
  assert.deepEqual(pageAfter(page, 20), page);
  assert.ok(page.rows > 4000 && page.rows < 10_000);
});

void test('a page that took neither little nor much time is followed by one like it', () => {
  assert.deepEqual(pageAfter(firstPage, 1000), firstPage);
});

for (const [kilobits, mostSeconds] of [
  [64, 5],
  [256, 3],
  [2000, 2],
  [100_000, 1],
] as const) {
  void test(`over ${kilobits} kbit/s a page comes to take at most ${mostSeconds} s`, () => {
    const times = timesOver((kilobits * 1000) / 8);
    assert.ok(
      times.slice(4).every((ms) => ms <= mostSeconds * 1000),
      times.map(Math.round).join(),
    );
    assert.ok((times[0] ?? 0) <= 17_000, 'the first one, too, is soon here');
  });
}
