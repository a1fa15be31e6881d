/**
 * Rows from a key to the end of the table, page by page in the order of the key, sent in full: the way for a range that
 * is empty here, or nearly. A page is read while the one before is written.
 */
import { rowKey } from '../apply/row-key.ts';
import type { Query } from '../database/query.ts';
import type { Key, KeyRange, Rows } from '../provider/reader.ts';
import { keyIdentity, keyOf } from './key-identity.ts';
import { firstPage, pageAfter, type PageSize } from './page-size.ts';
import { RangeView } from './range-view.ts';
import { passed, type TableSide } from './table-side.ts';

export interface CopyOptions {
  readonly after: Key | null;
  /** Rows that stand here in the range already: judged apart. */
  readonly standing: (keys: readonly Key[]) => Promise<void>;
  /** In the transaction of each page. */
  readonly written: (query: Query, page: WrittenPage) => Promise<void>;
  /** Between two pages. */
  readonly pace: () => Promise<void>;
}

export interface WrittenPage {
  readonly through: Key;
  readonly rows: number;
  readonly bytes: number;
}

interface Page {
  readonly range: KeyRange & { readonly upto: Key };
  readonly rows: Rows;
  readonly view: RangeView;
  readonly bytes: number;
  /** For the one behind it. */
  readonly size: PageSize;
}

/** @throws TributaryError of provider and apply */
export async function copyWalk(side: TableSide, options: CopyOptions): Promise<void> {
  let { after } = options;
  let next = read(side, { after, upto: null }, firstPage);
  for (;;) {
    // Awaited in the next round, or its failure is that of the page before.
    next.catch(() => {});
    const page = await next;
    if (!page) {
      await rest(side, { after, upto: null }, options);
      return;
    }
    after = page.range.upto;
    next = read(side, { after, upto: null }, page.size);
    next.catch(() => {});
    try {
      await write(side, page, options);
      // crash point: page-committed
      await options.pace();
    } catch (error) {
      await next.then((unused) => unused?.view.watch[Symbol.dispose]()).catch(() => {});
      throw error;
    }
  }
}

/** Nothing of the range is left at the provider: what stands here is judged. */
async function rest(side: TableSide, range: KeyRange, { standing }: CopyOptions): Promise<void> {
  const here = await side.local.hashes([range]);
  if (here.length > 0) {
    await standing(here.map(({ key }) => key));
  }
}

/** Null: the range is empty. The view's transaction is over; its snapshot and its watch are still needed. */
async function read(side: TableSide, range: KeyRange, size: PageSize): Promise<Page | null> {
  const { stream, reader, plan, signal } = side;
  const before = reader.bytes;
  const view = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  try {
    const asked = performance.now();
    const rows = await view.view.rows(plan.read, range, { ...size, form: stream.format });
    const next = pageAfter(size, performance.now() - asked);
    const last = rows.tuples.at(-1);
    await view.view[Symbol.asyncDispose]();
    if (!last) {
      view.watch[Symbol.dispose]();
      return null;
    }
    const upto = keyOf(last, plan, stream.format);
    const bytes = reader.bytes - before;
    return { range: { after: range.after, upto }, rows, view, bytes, size: next };
  } catch (error) {
    await view[Symbol.asyncDispose]();
    throw error;
  }
}

async function write(side: TableSide, page: Page, options: CopyOptions): Promise<void> {
  using _watch = page.view.watch;
  using _rows = page.rows;
  await passed(side, page.view.view.position);
  // crash point: page-read
  // Rows that come from now on come by the stream, and are its own.
  const here = (await side.local.hashes([page.range])).map(({ key }) => key);
  if (here.length > 0) {
    await options.standing(here);
  }
  if (!(await put(side, { page, here, options }))) {
    await writeAgain(side, page, options);
  }
}

async function writeAgain(
  side: TableSide,
  { range: { after: first, upto }, size }: Page,
  options: CopyOptions,
): Promise<void> {
  let after = first;
  for (;;) {
    const page = await read(side, { after, upto }, size);
    if (!page) {
      await rest(side, { after, upto }, options);
      return;
    }
    await write(side, page, options);
    after = page.range.upto;
  }
}

interface Task {
  readonly page: Page;
  /** Keys of rows that stand here. */
  readonly here: readonly Key[];
  readonly options: CopyOptions;
}

/** False: too much was touched meanwhile, the page is to be read again. */
async function put(side: TableSide, { page, here, options }: Task): Promise<boolean> {
  const { stream, plan, adopting = false } = side;
  const standing = new Set(here.map((key) => keyIdentity(key, plan, stream.format)));
  return await stream.turns.take(async () => {
    const { touched } = page.view;
    if (touched === 'all') {
      return false;
    }
    const present =
      standing.size === 0 && touched.size === 0
        ? page.rows.tuples
        : page.rows.tuples.filter((tuple) => {
            const key = rowKey(tuple, plan.keyIndexes);
            return !touched.has(key) && !standing.has(key);
          });
    await stream.applier.put(
      { relation: plan.relation, present, absent: [], expected: 'new', adopting },
      async (query) => {
        // crash point: page-written
        const { bytes, rows, range } = page;
        await options.written(query, { through: range.upto, rows: rows.tuples.length, bytes });
      },
    );
    return true;
  });
}
