/** Who answers at the provider's address: node, server, publication. */
import { TributaryError } from '../errors.ts';
import { literal } from '../database/ident.ts';
import { publicationName } from './replication-connection.ts';
import type { Session } from './session.ts';

export interface SystemIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

export interface Publication {
  readonly oid: number;
  readonly nonce: string;
}

/** IDENTIFY_SYSTEM; needs a walsender session. The timeline is int4 before PostgreSQL 16, and int8, hence text, since. */
export async function identifySystem(walsender: Session): Promise<SystemIdentity> {
  const rows = await walsender.ask<{ systemid: string; timeline: string | number }>(
    'IDENTIFY_SYSTEM',
  );
  const [row] = rows;
  if (!row) {
    throw new TributaryError('protocol', { message: 'IDENTIFY_SYSTEM' });
  }
  return { systemIdentifier: row.systemid, timeline: Number(row.timeline) };
}

/** Name of the node and its publication; null where there is none. @throws TributaryError provider_not_prepared */
export async function identifyNode(
  session: Session,
  provider: string,
): Promise<{ readonly node: string; readonly publication: Publication | null }> {
  const rows = await session.ask<{ name: string; nonce: string | null; oid: string | null }>(
    `select n.name, n.publication_nonce::text as nonce, p.oid::text as oid
     from tributary.node n
     left join pg_catalog.pg_publication p on p.pubname = ${literal(publicationName)}`,
  );
  const [row] = rows;
  if (!row) {
    throw new TributaryError('provider_not_prepared', { provider });
  }
  const publication =
    row.oid === null || row.nonce === null ? null : { oid: Number(row.oid), nonce: row.nonce };
  return { node: row.name, publication };
}
