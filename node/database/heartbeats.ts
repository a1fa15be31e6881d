/**
 * This node's heartbeat: a row that travels upstream like data, in its place in commit order, and a line in the
 * private log of nonces by which a subscriber recognises this database (the witness).
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { TributaryDatabase } from './tables.ts';

export interface Heartbeat {
  readonly node: string;
  readonly version: string;
  /** Digest of the topology file in force. */
  readonly topology: string;
  /** Disk, log, limits, streams and their states: names and numbers only. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Free space of the disk, in bytes; null: not known. */
  readonly diskFree: number | null;
}

/** Rows of the log kept below what any slot still needs, and rows kept at most: 70 days of heartbeats at 30 s. */
const keptBelow = 100;
const keptAtMost = 200_000;

/** Row and log line carry the same nonce and position, and the origins are brought up to date, in one transaction. */
export async function writeHeartbeat(
  database: TributaryDatabase,
  heartbeat: Heartbeat,
): Promise<void> {
  const nonce = randomUUID();
  await database.transaction().execute(async (transaction) => {
    await sql`
      with line as (
        insert into tributary.heartbeat_log (nonce, lsn, at, disk_free)
        values (${nonce}, pg_current_wal_insert_lsn(), clock_timestamp(), ${heartbeat.diskFree}::bigint)
        returning nonce, lsn, at
      )
      insert into tributary.heartbeat (node, at, lsn, nonce, version, topology, state)
      select ${heartbeat.node}, line.at, line.lsn, line.nonce, ${heartbeat.version}, ${heartbeat.topology},
        ${JSON.stringify(heartbeat.state)}::jsonb || jsonb_build_object('publication', (
          select jsonb_build_object('oid', p.oid::bigint) from pg_publication p where p.pubname = 'tributary_up'
        ))
      from line
      on conflict (node) do update set
        at = excluded.at,
        lsn = excluded.lsn,
        nonce = excluded.nonce,
        version = excluded.version,
        topology = excluded.topology,
        state = excluded.state
    `.execute(transaction);
    // crash point: heartbeat-noted
    await sql`select tributary.refresh_origins()`.execute(transaction);
  });
}

/**
 * Drops log lines no subscriber can ask for. The last heartbeat applied at a subscriber lies near the confirmed
 * position of its slot or after it, so everything after the least confirmed position stays, and a margin before it.
 * The last day stays for the forecasts.
 */
export async function purgeHeartbeats(database: TributaryDatabase): Promise<void> {
  await sql`
    with needed as (
      select coalesce(min(slots.confirmed_flush_lsn), pg_current_wal_insert_lsn()) as lsn
      from pg_replication_slots slots
      where slots.database = current_database()
        and starts_with(slots.slot_name, 'tributary_')
    ),
    floor as (
      select min(margin.lsn) as lsn
      from (
        select line.lsn
        from tributary.heartbeat_log line, needed
        where line.lsn <= needed.lsn
        order by line.lsn desc
        limit ${keptBelow}
      ) margin
    ),
    cap as (
      select line.lsn
      from tributary.heartbeat_log line
      order by line.lsn desc
      offset ${keptAtMost}
      limit 1
    )
    delete from tributary.heartbeat_log line
    where line.lsn < (select floor.lsn from floor) and line.at < now() - interval '1 day'
      or line.lsn <= (select cap.lsn from cap)
  `.execute(database);
}
