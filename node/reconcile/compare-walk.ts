/**
 * The table from a key to its end: as many rows at once as one number, and where that differs in chunks: digests of blocks of
 * rows from both sides, finer digests where they differ, hashes of single rows where those differ. What is left are keys to be settled. A key that is equal under a view is
 * equal, for what the stream does to it later it does here too; one that differs may only be on its way, so the descent
 * waits for nothing and decides nothing.
 */
import type { Block, Key, KeyRange } from '../provider/reader.ts';
import { coarseChunk } from './coarse-chunk.ts';
import {
  afterDiffering,
  afterEqual,
  firstCoarse,
  firstRows,
  firstStride,
  isRest,
} from './coarse-stride.ts';
import { RangeView } from './range-view.ts';
import type { TableSide } from './table-side.ts';

/** About 64 bytes travel per block, 34 per row of a block that differs and has not more than `leafRows`. */
const blockRows = 1024;
const leafRows = 64;
const chunk = { least: 4096, most: 131_072, first: 16_384, longMs: 4000, shortMs: 1000 } as const;

export interface CompareOptions {
  readonly after: Key | null;
  /** Rows that are compared as a whole at first; default: all of a small table, else by their size. */
  readonly atOnce?: number;
  /** Keys that may differ, each once. */
  readonly suspicious: (keys: readonly Key[]) => Promise<void>;
  /** Everything up to a key is compared, and what was suspicious settled; null: up to the end. */
  readonly walked: (through: Key | null, count: WalkedChunk) => Promise<void>;
}

export interface WalkedChunk {
  readonly rows: number;
  readonly bytes: number;
}

/** @throws TributaryError of the provider */
export async function compareWalk(side: TableSide, options: CompareOptions): Promise<void> {
  const told = new Telling(side, options);
  const { rows, bytes } = await estimate(side);
  const atOnce = options.atOnce ?? firstCoarse(bytes / Math.max(1, rows));
  let stride = firstStride(options.atOnce ?? firstRows(atOnce, { expected: rows, bytes }));
  let { after } = options;
  let ended = false;
  while (!ended) {
    const expected = Math.max(0, rows - told.rows);
    const rest = isRest(stride, { expected, bytes });
    const coarse = await coarseChunk(side, after, { rows: stride.rows, rest });
    if (coarse?.equal) {
      stride = afterEqual(stride, coarse.tookMs);
      await told.walked(coarse.through, coarse.rows);
      after = coarse.through;
      ended = after === null;
      continue;
    }
    const then = afterDiffering(stride, atOnce);
    ({ stride } = then);
    if (coarse === null || then.finely !== null) {
      const upto = coarse?.through ? await furtherOn(side, coarse.through, then.finely ?? 0) : null;
      await walkFinely(side, { after, upto }, told);
      after = upto;
      ended = after === null;
    }
  }
}

async function estimate({
  reader,
  plan,
}: TableSide): Promise<{ readonly rows: number; readonly bytes: number }> {
  await using view = await reader.look();
  return { rows: await view.estimate(plan.read), bytes: await view.storedBytes(plan.read) };
}

/** The key so many rows behind; null: the end. */
async function furtherOn(
  { reader, plan }: TableSide,
  through: Key,
  rows: number,
): Promise<Key | null> {
  if (rows === 0) {
    return through;
  }
  await using view = await reader.look();
  return await view.keyAfter(plan.compared, through, rows);
}

/** What was walked, with the bytes that came since it was told last. */
class Telling {
  readonly suspicious: CompareOptions['suspicious'];
  readonly #options: CompareOptions;
  readonly #side: TableSide;
  #bytes: number;
  #rows = 0;

  constructor(side: TableSide, options: CompareOptions) {
    this.#side = side;
    this.#options = options;
    this.#bytes = side.reader.bytes;
    this.suspicious = options.suspicious;
  }

  /** Walked so far. */
  get rows(): number {
    return this.#rows;
  }

  async walked(through: Key | null, rows: number): Promise<void> {
    const bytes = this.#side.reader.bytes - this.#bytes;
    this.#bytes += bytes;
    this.#rows += rows;
    await this.#options.walked(through, { rows, bytes });
  }
}

/** A range that differs, by digests of its blocks. */
async function walkFinely(side: TableSide, range: KeyRange, told: Telling): Promise<void> {
  const { upto } = range;
  let next: Promise<Chunk> | null = readChunk(side, range, chunk.first);
  try {
    while (next) {
      const read: Chunk = await next;
      const { through, rows } = read;
      // The provider works on the next chunk while this one is looked for here.
      next = through === upto ? null : readChunk(side, { after: through, upto }, nextRows(read));
      // Awaited in the next round, or its failure is that of this one.
      next?.catch(() => {});
      await told.suspicious(await differingKeys(side, read));
      await told.walked(through, rows);
    }
  } finally {
    await next?.catch(() => {});
  }
}

/** Digests of the provider's rows behind a key. */
interface Chunk {
  readonly after: Key | null;
  /** The end of what was to be walked, or a key before it. */
  readonly through: Key | null;
  readonly blocks: readonly Block[];
  readonly rows: number;
  /** So many were asked for. */
  readonly wanted: number;
  readonly tookMs: number;
}

async function readChunk(side: TableSide, range: KeyRange, wanted: number): Promise<Chunk> {
  const started = performance.now();
  const blocks = await readBlocks(side, [range], { rows: wanted, block: blockRows });
  const rows = blocks.reduce((sum, block) => sum + block.count, 0);
  const through = rows < wanted ? range.upto : (blocks.at(-1)?.lastKey ?? range.upto);
  return { after: range.after, through, blocks, rows, wanted, tookMs: performance.now() - started };
}

/** Digests of a chunk of wide rows take long; both sides have a limit of time for a question. */
function nextRows({ wanted, tookMs }: Chunk): number {
  if (tookMs > chunk.longMs) {
    return Math.max(chunk.least, wanted >> 1);
  }
  return tookMs < chunk.shortMs ? Math.min(chunk.most, wanted << 1) : wanted;
}

async function readBlocks(
  { reader, plan, signal, stream }: TableSide,
  ranges: readonly KeyRange[],
  most: { readonly rows: number; readonly block: number },
): Promise<readonly Block[]> {
  await using range = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  return await range.view.blocks(plan.compared, ranges, most);
}

/** The descent into what differs, each step under a view of its own. */
async function differingKeys(
  side: TableSide,
  { after, through, blocks }: Chunk,
): Promise<readonly Key[]> {
  const wide = await differing(side, cut([{ after, upto: through }], blocks));
  if (wide.length === 0) {
    return [];
  }
  const finer = await readBlocks(side, wide, { rows: Number.MAX_SAFE_INTEGER, block: leafRows });
  const narrow = await differing(side, cut(wide, finer));
  return narrow.length === 0 ? [] : await differingRows(side, narrow);
}

interface Piece extends KeyRange {
  readonly count: number;
  readonly digest: bigint;
}

/** Each range in pieces that end with its blocks; the last piece reaches to the end of its range. Pure. */
export function cut(ranges: readonly KeyRange[], blocks: readonly Block[]): readonly Piece[] {
  return ranges.flatMap(({ after, upto }, number): Piece[] => {
    const own = blocks.filter(({ range }) => range === number);
    if (own.length === 0) {
      return [{ after, upto, count: 0, digest: 0n }];
    }
    return own.map(({ lastKey, count, digest }, n) => ({
      after: own[n - 1]?.lastKey ?? after,
      upto: n === own.length - 1 ? upto : (lastKey ?? upto),
      count,
      digest,
    }));
  });
}

async function differing(
  { local }: TableSide,
  pieces: readonly Piece[],
): Promise<readonly Piece[]> {
  const ours = await local.digests(pieces);
  return pieces.filter((piece, n) => {
    const here = ours[n];
    return here?.count !== piece.count || here.digest !== piece.digest;
  });
}

async function differingRows(
  { reader, plan, signal, stream, local }: TableSide,
  ranges: readonly KeyRange[],
): Promise<readonly Key[]> {
  await using range = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  const [theirs, ours] = await Promise.all([
    range.view.hashes(plan.compared, ranges),
    local.hashes(ranges),
  ]);
  const open = new Map(theirs.map(({ key, hash }) => [JSON.stringify(key), hash]));
  const keys: Key[] = [];
  for (const { key, hash } of ours) {
    const text = JSON.stringify(key);
    if (open.get(text) !== hash) {
      keys.push(key);
    }
    open.delete(text);
  }
  return [...keys, ...[...open.keys()].map((text) => JSON.parse(text) as Key)];
}
