/** Ranges of a table here, as far as they are the provider's: rows whose origin lies in its subtree. */
import { ident, literal, qualified } from '../database/ident.ts';
import type { Query } from '../database/query.ts';
import type { Key, KeyRange, RangeDigest } from '../provider/reader.ts';
import type { TablePlan } from './table-plan.ts';

type Ask = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface LocalDatabase {
  readonly query: Query;
  /** For statements that take as long as the table is large: the rows of one child may lie anywhere in it. */
  readonly patient: Query;
}

export interface LocalRow {
  readonly range: number;
  readonly key: Key;
  readonly hash: bigint;
}

/** What of a plan it takes to read here alone. */
type LocalPlan = Pick<TablePlan, 'read' | 'compared' | 'keyTypeOids' | 'originColumn'>;

export class LocalRanges {
  readonly #ask: Ask;
  readonly #search: Ask;
  readonly #plan: LocalPlan;
  readonly #filter: string;
  readonly #place: readonly unknown[];

  /** `condition`: a further one on rows `t`, such as that they are not softly deleted. */
  constructor(
    { query, patient }: LocalDatabase,
    plan: LocalPlan,
    { subtree, condition }: { readonly subtree: ReadonlySet<string>; readonly condition?: string },
  ) {
    this.#ask = asking(query);
    this.#search = asking(patient);
    this.#plan = plan;
    const origins = [...subtree].map(literal).join(', ');
    const own = `t.${ident(plan.originColumn)}::text in (${origins})`;
    this.#filter = condition === undefined ? own : `${own} and ${condition}`;
    const { compared } = plan;
    this.#place = [qualified(compared), compared.columns, compared.key, this.#filter];
  }

  /** How many rows of the subtree stand after the key, counted to `most`. */
  async countAfter(after: Key | null, most: number): Promise<number> {
    const table = qualified(this.#plan.read);
    const [bound] = await this.#ask<{ condition: string }>(
      `select tributary.in_range($1::regclass, $2, $3, null) as condition`,
      [table, this.#plan.read.key, after],
    );
    const [found] = await this.#search<{ count: string }>(
      `select count(*)::text as count
       from (select from ${table} t where ${this.#filter} and ${bound?.condition ?? 'true'} limit ${most}) t`,
    );
    return Number(found?.count ?? 0);
  }

  async count(): Promise<number> {
    const rows = await this.#search<{ count: string }>(
      `select count(*)::text as count from ${qualified(this.#plan.read)} t where ${this.#filter}`,
    );
    return Number(rows[0]?.count ?? 0);
  }

  async digests(ranges: readonly KeyRange[]): Promise<readonly RangeDigest[]> {
    const rows = await this.#search<{ count: string; digest: string }>(
      `select d.count::text as count, d.digest::text as digest
       from tributary.digests($1::regclass, $2, $3, $4, $5) d`,
      [...this.#place, boundsOf(ranges)],
    );
    return rows.map(({ count, digest }) => ({ count: Number(count), digest: BigInt(digest) }));
  }

  /** As View.digest. */
  async digest({ after, upto }: KeyRange): Promise<RangeDigest> {
    const [found] = await this.#search<{ count: string; digest: string }>(
      `select d.count::text as count, d.digest::text as digest
       from tributary.range_digest($1::regclass, $2, $3, $4, $5, $6) d`,
      [...this.#place, after, upto],
    );
    return { count: Number(found?.count ?? 0), digest: BigInt(found?.digest ?? 0) };
  }

  async hashes(ranges: readonly KeyRange[]): Promise<readonly LocalRow[]> {
    const { key } = this.#plan.compared;
    const uuids = this.#plan.keyTypeOids.map((oid) => oid === 2950);
    const list = key.map((_, n) => `k${n} ${uuids[n] ? 'uuid' : 'text'}`);
    const texts = key.map((_, n) => `h.k${n}::text`);
    const rows = await this.#search<{ range: number; key: Key; hash: string }>(
      `select h.range, array[${texts.join(', ')}] as key, h.hash::text as hash
       from tributary.hashes($1::regclass, $2, $3, $4, $5) h (range integer, ${list.join(', ')}, hash bigint)`,
      [...this.#place, boundsOf(ranges)],
    );
    return rows.map(({ range, key: at, hash }) => ({ range, key: at, hash: BigInt(hash) }));
  }

  /** As View.hashesByKey, of the columns that are compared or of some of them. */
  async hashesByKey(
    keys: readonly Key[],
    columns: readonly string[] = this.#plan.compared.columns,
  ): Promise<ReadonlyMap<number, bigint>> {
    const { compared } = this.#plan;
    const rows = await this.#ask<{ number: number; hash: string }>(
      `select h.number, h.hash::text as hash from tributary.hashes_by_key($1::regclass, $2, $3, $4, $5) h`,
      [qualified(compared), columns, compared.key, this.#filter, JSON.stringify(keys)],
    );
    return new Map(rows.map(({ number, hash }) => [number, BigInt(hash)]));
  }

  /** The next rows in the order of the key. */
  async originsAfter(
    after: Key | null,
    most: number,
  ): Promise<readonly { readonly key: Key; readonly origin: string }[]> {
    const { read, originColumn } = this.#plan;
    const table = qualified(read);
    const [found] = await this.#ask<{ condition: string; ordering: string }>(
      `select tributary.in_range($1::regclass, $2, $3, null) as condition, tributary.key_order($1::regclass, $2) as ordering`,
      [table, read.key, after],
    );
    // As an output function says it, which a cast to text does not of every type.
    const texts = read.key.map((name) => `format('%s', t.${ident(name)})`);
    return await this.#search<{ key: Key; origin: string }>(
      `select array[${texts.join(', ')}] as key, t.${ident(originColumn)}::text as origin
       from ${table} t where ${this.#filter} and ${found?.condition ?? 'true'} order by ${found?.ordering ?? '1'} limit ${most}`,
    );
  }

  /** Of the rows of these keys that stand here, by their numbers in `keys`. */
  async originsByKey(keys: readonly Key[]): Promise<ReadonlyMap<number, string>> {
    const { read, originColumn } = this.#plan;
    const table = qualified(read);
    const [found] = await this.#ask<{ condition: string }>(
      `select tributary.has_key($1::regclass, $2) as condition`,
      [table, read.key],
    );
    // Key by key, by the key's index, whatever the planner knows of the table.
    const rows = await this.#ask<{ number: number; origin: string }>(
      `select (e.number - 1)::integer as number, o.origin
       from jsonb_array_elements($1::jsonb) with ordinality e (value, number)
       cross join lateral (
         select t.${ident(originColumn)}::text as origin from ${table} t where ${found?.condition ?? 'false'} and ${this.#filter} limit 1
       ) o`,
      [JSON.stringify(keys)],
    );
    return new Map(rows.map(({ number, origin }) => [number, origin]));
  }
}

function asking(query: Query): Ask {
  return async <Row extends object>(sql: string, values?: readonly unknown[]) =>
    (await query(sql, values)).rows as Row[];
}

function boundsOf(ranges: readonly KeyRange[]): string {
  return JSON.stringify(ranges.map(({ after, upto }) => [after, upto]));
}
