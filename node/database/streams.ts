/**
 * The rows of tributary.stream: how far each stream into this database is applied, and which provider that position
 * belongs to. The position itself is moved by apply, in the transaction of the rows.
 */
import { sql } from 'kysely';
import { TributaryError } from '../errors.ts';
import { formatLsn, parseLsn, type Lsn } from '../pgoutput/lsn.ts';
import { writeAudit, type Deed } from './audit.ts';
import type { TributaryDatabase } from './tables.ts';

export interface StreamRow extends StreamIdentity {
  readonly provider: string;
  /** Raised by each take-over; apply refuses to move the position under another. */
  readonly epoch: bigint;
  /** End of the last commit applied; null: none yet. */
  readonly lastCommit: Lsn | null;
  /** Why this copy may lack rows; null: it lacks nothing. */
  readonly incomplete: string | null;
  readonly paused: boolean;
  readonly updated: Date;
  /** Nonce of the heartbeat here that the provider need not know, for it is from before it went back in time. */
  readonly unwitnessed: string | null;
}

/** Where a stream stands, and at which provider. */
export interface StreamIdentity {
  readonly slot: string;
  readonly position: Lsn;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly publicationOid: number;
  readonly publicationNonce: string;
}

export interface Witness {
  readonly nonce: string;
  readonly lsn: Lsn;
}

const columns = [
  'provider',
  'epoch',
  'slot',
  'position',
  'last_commit',
  'system_identifier',
  'timeline',
  'publication_oid',
  'publication_nonce',
  'incomplete',
  'paused',
  'updated',
  'unwitnessed',
] as const;

export async function loadStreams(database: TributaryDatabase): Promise<StreamRow[]> {
  const rows = await database.selectFrom('stream').select(columns).orderBy('provider').execute();
  return rows.map(streamRow);
}

/** Raises the epoch, so that no other process can move the position any more. Null: the stream never began. */
export async function takeOver(
  database: TributaryDatabase,
  provider: string,
): Promise<StreamRow | null> {
  const row = await database
    .updateTable('stream')
    .set({ epoch: sql`epoch + 1` })
    .where('provider', '=', provider)
    .returning(columns)
    .executeTakeFirst();
  return row ? streamRow(row) : null;
}

/**
 * Notes a stream that begins at a new slot, and that its origins are incomplete if they are, in one transaction.
 * @throws TributaryError fenced when another process began it meanwhile.
 */
export async function beginStream(
  database: TributaryDatabase,
  provider: string,
  start: StreamIdentity & { readonly incomplete: string | null },
): Promise<StreamRow> {
  return await database.transaction().execute(async (transaction) => {
    const row = await transaction
      .insertInto('stream')
      .values({
        provider,
        epoch: '1',
        slot: start.slot,
        position: formatLsn(start.position),
        system_identifier: start.systemIdentifier,
        timeline: start.timeline,
        publication_oid: String(start.publicationOid),
        publication_nonce: start.publicationNonce,
        incomplete: start.incomplete,
      })
      .onConflict((conflict) => conflict.column('provider').doNothing())
      .returning(columns)
      .executeTakeFirst();
    if (!row) {
      throw new TributaryError('fenced', { stream: provider });
    }
    await sql`select tributary.refresh_origins()`.execute(transaction);
    return streamRow(row);
  });
}

/**
 * Stops or lets go a stream for a person, across restarts, and notes who did it. False: it stood so already.
 * @throws TributaryError stream_not_begun.
 */
export async function setPaused(
  database: TributaryDatabase,
  provider: string,
  { paused, by }: { readonly paused: boolean; readonly by: Pick<Deed, 'node' | 'actor'> },
): Promise<boolean> {
  return await database.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('stream')
      .select('paused')
      .where('provider', '=', provider)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!row) {
      throw new TributaryError('stream_not_begun', { stream: provider });
    }
    if (row.paused === paused) {
      return false;
    }
    await transaction
      .updateTable('stream')
      .set({ paused })
      .where('provider', '=', provider)
      .execute();
    const action = paused ? 'pause' : 'resume';
    await writeAudit(transaction, { ...by, action, subject: provider });
    return true;
  });
}

/** The provider's last heartbeat applied here, which a provider that is the one we knew still holds. */
export async function witnessOf(
  database: TributaryDatabase,
  { provider, unwitnessed }: Pick<StreamRow, 'provider' | 'unwitnessed'>,
): Promise<Witness | null> {
  const row = await database
    .selectFrom('heartbeat')
    .select(['nonce', 'lsn'])
    .where('node', '=', provider)
    .executeTakeFirst();
  return row && row.nonce !== unwitnessed ? { nonce: row.nonce, lsn: parseLsn(row.lsn) } : null;
}

interface RawStream {
  readonly provider: string;
  readonly epoch: string;
  readonly slot: string;
  readonly position: string;
  readonly last_commit: string | null;
  readonly system_identifier: string;
  readonly timeline: number;
  readonly publication_oid: string;
  readonly publication_nonce: string;
  readonly incomplete: string | null;
  readonly paused: boolean;
  readonly updated: Date;
  readonly unwitnessed: string | null;
}

function streamRow(row: RawStream): StreamRow {
  return {
    provider: row.provider,
    epoch: BigInt(row.epoch),
    slot: row.slot,
    position: parseLsn(row.position),
    lastCommit: row.last_commit === null ? null : parseLsn(row.last_commit),
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    publicationOid: Number(row.publication_oid),
    publicationNonce: row.publication_nonce,
    incomplete: row.incomplete,
    paused: row.paused,
    updated: row.updated,
    unwitnessed: row.unwitnessed,
  };
}
