/** The rows of tributary.doubt: doubts about a provider that were met by a new slot. */
import type { Query } from './query.ts';

export interface MetDoubt {
  readonly provider: string;
  readonly name: string;
  /** How often, since the database was prepared. */
  readonly count: number;
  /** The last time. */
  readonly at: Date;
}

export async function noteDoubts(
  query: Query,
  provider: string,
  names: readonly string[],
): Promise<void> {
  await query(
    `insert into tributary.doubt as d (provider, name)
     select $1, n.name from unnest($2::text[]) n (name)
     on conflict (provider, name) do update set count = d.count + 1, at = now()`,
    [provider, names],
  );
}

/** Of every stream, the latest first. */
export async function readDoubts(query: Query): Promise<readonly MetDoubt[]> {
  const { rows } = await query(
    `select d.provider, d.name, d.count::float8 as count, d.at from tributary.doubt d order by d.at desc, d.name`,
  );
  return rows as readonly MetDoubt[];
}
