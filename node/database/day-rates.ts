/** How fast this node's log grows and its disk fills, from the positions and free space noted with each heartbeat. */
import { sql } from 'kysely';
import type { TributaryDatabase } from './tables.ts';

/** Over the last day, or as much of it as there is; null: too few heartbeats yet, or not known. */
export interface DayRates {
  readonly logBytesPerSecond: number | null;
  /** Negative while the disk fills. */
  readonly diskFreeBytesPerSecond: number | null;
}

/** Ten minutes at a heartbeat of 30 s: what happens just after a start is no trend. */
const fewestHeartbeats = 20;

export async function readDayRates(database: TributaryDatabase): Promise<DayRates> {
  const { rows } = await sql<DayRates>`
    select
      case when count(*) >= ${fewestHeartbeats} then
        ((max(line.lsn) - min(line.lsn)) / nullif(extract(epoch from max(line.at) - min(line.at)), 0))::float8
      end as "logBytesPerSecond",
      case when count(line.disk_free) >= ${fewestHeartbeats} then
        regr_slope(line.disk_free::float8, extract(epoch from line.at - now())::float8)
      end as "diskFreeBytesPerSecond"
    from tributary.heartbeat_log line
    where line.at > now() - interval '1 day'
  `.execute(database);
  return rows[0] ?? { logBytesPerSecond: null, diskFreeBytesPerSecond: null };
}
