/** Making and dropping this subscriber's slot at the provider. */
import { ident, literal } from '../database/ident.ts';
import { TributaryError } from '../errors.ts';
import { parseLsn } from '../pgoutput/lsn.ts';
import { identifyNode, identifySystem } from './identity.ts';
import type { Publication } from './identity.ts';
import type { NewSlot } from './provider.ts';
import { openSession } from './session.ts';
import type { Session, SessionOptions } from './session.ts';

export type SlotOptions = Omit<SessionOptions, 'replication'> & { readonly slot: string };

/** A new slot waits for every transaction that runs at the provider; looking for approved rows may read whole tables. */
const patienceMs = 600_000;

/** As Provider.makeSlot. */
export async function makeSlot(given: SlotOptions): Promise<NewSlot> {
  const options = { ...given, answerMs: Math.max(given.answerMs, patienceMs) };
  await using walsender = await openSession({ ...options, replication: true }, 'making the slot');
  const publication = await expectNode(walsender, options);
  const system = await identifySystem(walsender);
  await dropUnused(walsender, options);
  // crash point: slot-dropped
  const made = await walsender.ask<{ consistent_point: string; snapshot_name: string }>(
    `CREATE_REPLICATION_SLOT ${ident(options.slot)} LOGICAL pgoutput (SNAPSHOT 'export'${await failover(walsender)})`,
  );
  const [row] = made;
  if (!row) {
    throw new TributaryError('protocol', { message: 'CREATE_REPLICATION_SLOT' });
  }
  try {
    return {
      slot: options.slot,
      position: parseLsn(row.consistent_point),
      ...system,
      publicationOid: publication.oid,
      publicationNonce: publication.nonce,
      // The snapshot lives until the next command of the session that exported it.
      tablesWithRows: await tablesWithRows(options, row.snapshot_name),
    };
  } catch (error) {
    await dropUnused(walsender, options).catch(() => {});
    throw error;
  }
}

/** From 17 on a standby may keep a copy of the slot, so that it outlives a failover; a standby's own slots can not. */
async function failover(walsender: Session): Promise<string> {
  const rows = await walsender.ask<{ may: boolean }>(
    `select pg_catalog.current_setting('server_version_num')::integer >= 170000
       and not pg_catalog.pg_is_in_recovery() as may`,
  );
  return rows[0]?.may ? ', FAILOVER true' : '';
}

/** Nothing when there is no such slot. @throws TributaryError slot_in_use | provider_* */
export async function dropSlot(options: SlotOptions): Promise<void> {
  await using session = await openSession({ ...options, replication: false });
  await dropUnused(session, options);
}

async function expectNode(session: Session, options: SlotOptions): Promise<Publication> {
  const { provider } = options;
  const { node, publication } = await identifyNode(session, provider);
  if (node !== provider) {
    throw new TributaryError('doubt', { provider, doubt: 'node_name_differs', node });
  }
  if (!publication) {
    throw new TributaryError('provider_not_prepared', { provider, publication: null });
  }
  return publication;
}

async function dropUnused(session: Session, options: SlotOptions): Promise<void> {
  const { provider, slot } = options;
  const rows = await session.ask<{ active: boolean }>(
    `select active from pg_catalog.pg_replication_slots where slot_name = ${literal(slot)}`,
  );
  if (rows[0]?.active) {
    throw new TributaryError('slot_in_use', { provider, slot });
  }
  if (rows[0]) {
    await session.ask(`select pg_catalog.pg_drop_replication_slot(${literal(slot)})`);
  }
}

/** Without heartbeats and audit: that older ones exist does not make a copy incomplete. */
async function tablesWithRows(options: SlotOptions, snapshot: string): Promise<string[]> {
  await using session = await openSession({ ...options, replication: false });
  await session.ask('begin isolation level repeatable read read only');
  await session.ask(`set transaction snapshot ${literal(snapshot)}`);
  const rows = await session.ask<{ name: string }>(
    'select t.name from tributary.tables_with_rows() t (name)',
  );
  await session.ask('commit');
  return rows.map(({ name }) => name);
}
