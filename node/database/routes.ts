/** tributary.route: which child each origin below this node comes by, from the topology file in force. */
import { sql } from 'kysely';
import type { TributaryDatabase } from './tables.ts';

/** Makes the table equal to `routes` (origin -> child), and this node's own heartbeat say what follows from it. */
export async function replaceRoutes(
  database: TributaryDatabase,
  routes: ReadonlyMap<string, string>,
): Promise<void> {
  const origins = [...routes.keys()];
  const vias = [...routes.values()];
  await database.transaction().execute(async (transaction) => {
    await sql`
      delete from tributary.route
      where not (origin = any (${origins}::text[]))
    `.execute(transaction);
    await sql`
      insert into tributary.route (origin, via)
      select wanted.origin, wanted.via
      from unnest(${origins}::text[], ${vias}::text[]) as wanted (origin, via)
      on conflict (origin) do update set via = excluded.via
      where route.via <> excluded.via
    `.execute(transaction);
    await sql`select tributary.refresh_origins()`.execute(transaction);
  });
}
