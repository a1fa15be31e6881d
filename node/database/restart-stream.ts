/** A stream that begins anew at a new slot: nothing of the position before is of use, and every table is to be compared. */
import { sql } from 'kysely';
import { TributaryError } from '../errors.ts';
import { formatLsn } from '../pgoutput/lsn.ts';
import { type Deed, itself, writeAudit } from './audit.ts';
import { noteDoubts } from './doubts.ts';
import { wantAllSql } from './reconcile-tables.ts';
import { takeOver, type StreamIdentity, type StreamRow } from './streams.ts';
import { queryOf, type TributaryDatabase } from './tables.ts';

/** It went back in time: known before the new slot is made, for with the old one goes what has shown it. */
export const rewoundFound = 'rewound_found';
/** Every key that stands only here or differs here is listed before anything is written: the stream waits. */
export const rewound = 'rewound';
/** They are listed: what is missing here is added beside the stream. */
const rewoundListed = 'rewound_listed';

export interface Restart {
  /** The new slot. */
  readonly start: StreamIdentity;
  /** Why the tables are compared: the doubt itself, or `rewound`. */
  readonly reason: string;
  readonly doubts: readonly string[];
}

/**
 * In one transaction: where the stream stands from now on, every table wanted, its origins incomplete, the doubts
 * counted, and what was done in the audit. @throws TributaryError fenced when another process took the stream over.
 */
export async function restartStream(
  database: TributaryDatabase,
  known: StreamRow,
  { start, reason, doubts }: Restart,
): Promise<StreamRow> {
  return await database.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ node: string }>`
      update tributary.stream set
        slot = ${start.slot},
        position = ${formatLsn(start.position)},
        last_commit = null,
        system_identifier = ${start.systemIdentifier},
        timeline = ${start.timeline},
        publication_oid = ${String(start.publicationOid)}::bigint,
        publication_nonce = ${start.publicationNonce},
        incomplete = ${reason},
        unwitnessed = case when ${reason} = ${rewound} then (
          select h.nonce from tributary.heartbeat h where h.node = ${known.provider}
        ) end,
        updated = now()
      where provider = ${known.provider} and epoch = ${known.epoch.toString()}::bigint
      returning (select n.name from tributary.node n) as node
    `.execute(transaction);
    const [moved] = rows;
    if (!moved) {
      throw new TributaryError('fenced', { stream: known.provider });
    }
    const query = queryOf(transaction);
    // crash point: restart-noted
    await query(wantAllSql, [known.provider, reason]);
    // What a person allowed was about another comparison.
    await query(`update tributary.reconcile set allowed = null where provider = $1`, [
      known.provider,
    ]);
    await noteDoubts(query, known.provider, doubts);
    await writeAudit(transaction, {
      node: moved.node,
      actor: itself,
      action: 'new_slot',
      subject: known.provider,
      detail: {
        reason,
        doubts: doubts.join(', '),
        position: formatLsn(known.position),
        from: formatLsn(start.position),
      },
    });
    await query('select tributary.refresh_origins()');
    const row = await takeOver(transaction, known.provider);
    if (!row) {
      throw new TributaryError('fenced', { stream: known.provider });
    }
    return row;
  });
}

/** Whether rows may only be added here until every table has been compared. */
export function isRewound({ incomplete }: StreamRow): boolean {
  return incomplete === rewoundFound || incomplete === rewound || incomplete === rewoundListed;
}

/** From now on no process takes the provider for what it was, whatever becomes of its slot. @throws TributaryError fenced */
export async function noteRewound(
  database: TributaryDatabase,
  known: StreamRow,
  doubts: readonly string[],
): Promise<void> {
  const detail = { doubts: doubts.join(', '), position: formatLsn(known.position) };
  await noteStep(database, known, { step: rewoundFound, detail });
}

/** From now on the stream may run. @throws TributaryError fenced */
export async function noteListed(
  database: TributaryDatabase,
  known: StreamRow,
  found: ReadonlyMap<string, number>,
): Promise<void> {
  const detail = Object.fromEntries([...found].filter(([, count]) => count > 0));
  await noteStep(database, known, { step: rewoundListed, detail });
}

/** A step of a provider that went back in time, audited under its own name. */
async function noteStep(
  database: TributaryDatabase,
  known: StreamRow,
  { step, detail }: { readonly step: string; readonly detail: NonNullable<Deed['detail']> },
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ node: string }>`
      update tributary.stream set incomplete = ${step}
      where provider = ${known.provider} and epoch = ${known.epoch.toString()}::bigint
      returning (select n.name from tributary.node n) as node
    `.execute(transaction);
    const [moved] = rows;
    if (!moved) {
      throw new TributaryError('fenced', { stream: known.provider });
    }
    const deed = { node: moved.node, actor: itself, action: step, subject: known.provider };
    await writeAudit(transaction, { ...deed, detail });
    await sql`select tributary.refresh_origins()`.execute(transaction);
  });
}
