/**
 * tributary.route: which child each origin below this node comes by, from the topology file in force. An origin that comes to
 * go by way of another child is awaited: until that child has all of it, what the child lacks of it says nothing.
 */
import { sql } from 'kysely';
import { itself, writeAudit } from './audit.ts';
import type { Query } from './query.ts';
import { queryOf, type TributaryDatabase } from './tables.ts';

export interface Rerouted {
  readonly origin: string;
  readonly via: string;
  /** The child it came by before; null: it was not below this node by the file before. */
  readonly from: string | null;
}

/**
 * Makes the table equal to `routes` (origin -> child), and this node's own heartbeat say what follows from it. What was
 * known here and goes another way from now on is returned, and noted in the audit.
 */
export async function replaceRoutes(
  database: TributaryDatabase,
  routes: ReadonlyMap<string, string>,
): Promise<readonly Rerouted[]> {
  const origins = [...routes.keys()];
  const vias = [...routes.values()];
  return await database.transaction().execute(async (transaction) => {
    const before = await transaction.selectFrom('route').select(['origin', 'via']).execute();
    const known = new Map(before.map(({ origin, via }) => [origin, via]));
    await sql`
      delete from tributary.route
      where not (origin = any (${origins}::text[]))
    `.execute(transaction);
    // A child's own rows need no hand-over: it has them all. What is new below a stream that runs is handed over too: it
    // was left out as long as the file before sent it elsewhere, and its rows may stand here from earlier still.
    const { rows } = await sql<{ origin: string; via: string; node: string; here: boolean }>`
      insert into tributary.route (origin, via, awaited, level, heard, heard_at)
      select wanted.origin, wanted.via, late.so, not late.so, h.lsn, h.at
      from unnest(${origins}::text[], ${vias}::text[]) as wanted (origin, via)
      left join tributary.heartbeat h on h.node = wanted.origin
      left join tributary.stream s on s.provider = wanted.via
      cross join lateral (
        select wanted.via <> wanted.origin and coalesce(h.node, s.provider) is not null
      ) late (so)
      on conflict (origin) do update set
        via = excluded.via,
        awaited = excluded.via <> excluded.origin,
        level = excluded.via = excluded.origin,
        heard = greatest(route.heard, excluded.heard),
        heard_at = greatest(route.heard_at, excluded.heard_at)
      where route.via <> excluded.via
      returning
        origin,
        via,
        (select n.name from tributary.node n) as node,
        exists (select from tributary.heartbeat h where h.node = route.origin) as here
    `.execute(transaction);
    const rerouted = rows.filter(({ origin, here }) => here || known.has(origin));
    for (const { origin, via, node } of rerouted) {
      const deed = { node, actor: itself, action: 'rerouted', subject: origin };
      await writeAudit(transaction, { ...deed, detail: { from: known.get(origin) ?? null, via } });
    }
    await moveParked(
      queryOf(transaction),
      rerouted.map(({ origin }) => origin),
    );
    await sql`select tributary.refresh_origins()`.execute(transaction);
    return rerouted.map(({ origin, via }) => ({ origin, via, from: known.get(origin) ?? null }));
  });
}

/**
 * Keys of these origins that were parked of another stream: the comparison with the new one finds them again. Rewound ones
 * may be the last copy, and wait for a person's word whatever the way.
 */
async function moveParked(query: Query, origins: readonly string[]): Promise<void> {
  await query(
    `insert into tributary.parked (provider, schema_name, table_name, key, origin, reason, only_here, attempts, first_at, last_at, retry_at)
     select r.via, p.schema_name, p.table_name, p.key, p.origin, p.reason, p.only_here, p.attempts, p.first_at, p.last_at, p.retry_at
     from tributary.parked p
     join tributary.route r on r.origin = p.origin and r.via <> p.provider
     where p.origin = any ($1) and p.reason = 'rewound'
     on conflict (provider, schema_name, table_name, key) do update set
       reason = excluded.reason, only_here = excluded.only_here`,
    [origins],
  );
  await query(
    `delete from tributary.parked p
     using tributary.route r
     where r.origin = p.origin and r.via <> p.provider and p.origin = any ($1)`,
    [origins],
  );
}

/** Origins that the child does not have all of yet. */
export async function awaitedOrigins(query: Query, child: string): Promise<readonly string[]> {
  const { rows } = await query(
    `select r.origin from tributary.route r where r.via = $1 and r.awaited order by r.origin`,
    [child],
  );
  return originsOf(rows);
}

/** Those of them that it has all of by now, as every hop on the way says. */
export async function arrivedOrigins(query: Query, child: string): Promise<readonly string[]> {
  const { rows } = await query(`select o.origin from tributary.arrived_origins($1) o (origin)`, [
    child,
  ]);
  return originsOf(rows);
}

/** They are awaited no longer, and these tables of the child are to be compared from their beginning: at once or not at all. */
export async function endWait(
  query: Query,
  child: string,
  arrived: {
    readonly origins: readonly string[];
    readonly tables: readonly { readonly schema: string; readonly name: string }[];
  },
): Promise<void> {
  const { origins, tables } = arrived;
  await query(
    `with ended as (
       update tributary.route set awaited = false
       where via = $1 and origin = any ($2::text[]) and awaited
       returning origin
     )
     insert into tributary.reconcile as r (provider, schema_name, table_name, reason)
     select $1, t.schema_name, t.name, 'moved'
     from unnest($3::text[], $4::text[]) t (schema_name, name)
     where exists (select from ended)
     on conflict (provider, schema_name, table_name) do update set
       state = 'wanted',
       reason = case when r.state in ('done', 'held') or r.reason in ('mend', 'mend_held') then 'moved' else r.reason end,
       through = null, estimated = null, walked = 0, sent = 0, repaired = 0, bytes = 0, allowed = null, failure = null,
       wanted_at = now(), started_at = null, finished_at = null`,
    [child, origins, tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
}

function originsOf(rows: readonly unknown[]): readonly string[] {
  return (rows as readonly { readonly origin: string }[]).map(({ origin }) => origin);
}
