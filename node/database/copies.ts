/** How far the tables of each stream are that are being made equal: first copies and what else reconcile was asked for. */
import { sql } from 'kysely';
import type { TributaryDatabase } from './tables.ts';

export interface Copy {
  readonly provider: string;
  /** `schema.name` */
  readonly table: string;
  /** wanted, running, held (for a person), failed, done */
  readonly state: string;
  /** Such as first_copy. */
  readonly reason: string;
  /** Of the provider, walked over so far. */
  readonly rows: number;
  /** Rows the provider is thought to have; null: not known yet. */
  readonly estimatedRows: number | null;
  /** That came in full. */
  readonly sentRows: number;
  /** Corrected or removed here. */
  readonly repairedRows: number;
  readonly bytes: number;
  /** Since it began; null: it has not. */
  readonly seconds: number | null;
}

/** Every table that was ever asked for, the ones under way first. */
export async function readCopies(database: TributaryDatabase): Promise<readonly Copy[]> {
  const { rows } = await sql<Copy>`
    select
      r.provider,
      r.schema_name || '.' || r.table_name as "table",
      r.state,
      r.reason,
      r.walked::float8 as rows,
      r.estimated::float8 as "estimatedRows",
      r.sent::float8 as "sentRows",
      r.repaired::float8 as "repairedRows",
      r.bytes::float8 as bytes,
      extract(epoch from coalesce(r.finished_at, now()) - r.started_at)::float8 as seconds
    from tributary.reconcile r
    order by r.state = 'done', r.provider, r.schema_name, r.table_name
  `.execute(database);
  return rows;
}
