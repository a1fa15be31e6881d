/** Reads the facts of the proof at the provider, in one walsender session. */
import { ident, literal } from '../database/ident.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { formatLsn, noLsn, parseLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { publicationName } from './replication-connection.ts';
import { identifyNode, identifySystem } from './identity.ts';
import type { ProviderFacts, SlotFacts } from './proof.ts';
import type { KnownProvider } from './provider.ts';
import { openSession } from './session.ts';
import type { Session, SessionOptions } from './session.ts';

/**
 * Log between the slot's confirmed position and ours beyond which it is not decoded for the proof: after a crash behind a
 * huge transaction the provider would decode it whole, longer than it has to answer, at every attempt.
 */
const peekBytes = 64n << 20n;

/** @throws TributaryError provider_unreachable | provider_refused | provider_not_prepared */
export async function readFacts(
  options: Omit<SessionOptions, 'replication'>,
  known: KnownProvider,
): Promise<ProviderFacts> {
  await using session = await openSession({ ...options, replication: true });
  const system = await identifySystem(session);
  const { node, publication } = await identifyNode(session, options.provider);
  const { database, logEnd } = await readLog(session);
  const history =
    system.timeline > known.timeline ? await timelineEnds(session, system.timeline) : null;
  const slot = await readSlot(session, known.slot);
  const same =
    publication?.oid === known.publicationOid && publication.nonce === known.publicationNonce;
  const behind =
    slot?.confirmed &&
    slot.confirmed < known.position &&
    known.position <= logEnd &&
    known.position - slot.confirmed <= peekBytes;
  return {
    ...system,
    node,
    publication,
    database,
    logEnd,
    slot,
    knownTimelineEnd: history?.get(known.timeline) ?? null,
    witnessLsn: known.witness ? await readWitness(session, known.witness.nonce) : null,
    unconfirmed:
      same && behind && slot.walStatus !== 'lost' && slot.plugin === 'pgoutput'
        ? await readUnconfirmed(options, known)
        : null,
  };
}

async function readLog(session: Session): Promise<{ database: string; logEnd: Lsn }> {
  const rows = await session.ask<{ database: string; end: string | null }>(
    `select
       pg_catalog.current_database()::text as database,
       case
         when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
         else pg_catalog.pg_current_wal_insert_lsn()
       end::text as end`,
  );
  const [row] = rows;
  return { database: row?.database ?? '', logEnd: row?.end ? parseLsn(row.end) : noLsn };
}

/**
 * TIMELINE_HISTORY: where each earlier timeline ended. Null without a history file (58P01), as for timeline 1.
 */
async function timelineEnds(session: Session, timeline: number): Promise<Map<number, Lsn> | null> {
  try {
    const rows = await session.ask<{ content: string | Buffer }>(`TIMELINE_HISTORY ${timeline}`);
    return parseHistory(rows[0]?.content.toString() ?? '');
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    if (sqlFailure(cause)?.sqlstate === '58P01') {
      return null;
    }
    throw error;
  }
}

/** Lines of `timeline <tab> position <tab> reason`; others are comments. */
export function parseHistory(text: string): Map<number, Lsn> {
  const ends = new Map<number, Lsn>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    if (match?.[1] && match[2]) {
      ends.set(Number(match[1]), parseLsn(match[2]));
    }
  }
  return ends;
}

async function readSlot(session: Session, slot: string): Promise<SlotFacts | null> {
  const rows = await session.ask<{
    plugin: string | null;
    database: string | null;
    wal_status: string | null;
    confirmed: string | null;
  }>(
    `select plugin::text, database::text, wal_status, confirmed_flush_lsn::text as confirmed
     from pg_catalog.pg_replication_slots
     where slot_name = ${literal(slot)}`,
  );
  const [row] = rows;
  return row
    ? {
        plugin: row.plugin,
        database: row.database,
        walStatus: row.wal_status,
        confirmed: row.confirmed === null ? null : parseLsn(row.confirmed),
      }
    : null;
}

/** What the slot would send again, looked at and left: on the server that was known it was applied here already. */
async function readUnconfirmed(
  options: Omit<SessionOptions, 'replication'>,
  { slot, position }: KnownProvider,
): Promise<Lsn[]> {
  await using session = await openSession({ ...options, replication: false });
  const rows = await session.ask<{ lsn: string }>(
    // By the position itself: as text 0/FE85C20 stands behind 0/125F8F30.
    `select change.lsn::text as lsn
     from pg_catalog.pg_logical_slot_peek_binary_changes(
       $1, $2::pg_lsn, null,
       'proto_version', '1', 'publication_names', $3, 'messages', 'true'
     ) change
     where pg_catalog.get_byte(change.data, 0) = pg_catalog.ascii('C') and change.lsn <= $2::pg_lsn
     order by change.lsn`,
    [slot, formatLsn(position), ident(publicationName)],
  );
  return rows.map(({ lsn }) => parseLsn(lsn));
}

async function readWitness(session: Session, nonce: string): Promise<Lsn | null> {
  const rows = await session.ask<{ lsn: string }>(
    `select lsn::text from tributary.heartbeat_log where nonce::text = ${literal(nonce)}`,
  );
  return rows[0] ? parseLsn(rows[0].lsn) : null;
}
