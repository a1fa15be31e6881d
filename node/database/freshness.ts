/** tributary.freshness as the process reads it, with ages by the database's clock. */
import { sql } from 'kysely';
import type { TributaryDatabase } from './tables.ts';

export interface Freshness {
  readonly origin: string;
  /** Time of the newest heartbeat of that origin applied here; null: none came yet. */
  readonly through: Date | null;
  readonly ageSeconds: number | null;
  /** Whether every hop on the way says that nothing is missing. */
  readonly complete: boolean;
  readonly reason: string | null;
  readonly via: string;
}

export async function readFreshness(database: TributaryDatabase): Promise<Freshness[]> {
  const rows = await database
    .selectFrom('freshness')
    .select(['origin', 'through', 'complete', 'reason', 'via'])
    .select(sql<number | null>`extract(epoch from age)::float8`.as('ageSeconds'))
    .orderBy('origin')
    .execute();
  return rows;
}
