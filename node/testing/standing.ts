/** Where every stream of a test tree stands, as its databases and processes tell it: for the message of a failure. */
import type { TreeNode } from './tree-node.ts';

interface StandingTree {
  readonly nodes: readonly TreeNode[];
  status<T>(name: string): Promise<T>;
}

/** Lines of JSON. */
export async function streamsOf(tree: StandingTree): Promise<string> {
  const lines: string[] = [];
  for (const node of tree.nodes) {
    const { name, database } = node;
    const rows = await database.query(
      `select 'stream' as what, provider, position, now() - updated as unmoved from tributary.stream`,
    );
    const sessions = await database.query(
      `select application_name, state, wait_event_type, wait_event, now() - xact_start as open,
         now() - query_start as running, left(query, 60) as query
       from pg_stat_activity where application_name like 'tributary % apply %' or backend_type = 'walsender'`,
    );
    const slots = await database.query(
      `select slot_name, active, confirmed_flush_lsn, restart_lsn, pg_current_wal_lsn() as written
       from pg_replication_slots`,
    );
    const open = await database.query(
      `select provider, schema_name || '.' || table_name as "table", reason, sqlstate, count(*)::int as parked, min(attempts)::bigint as least
       from tributary.parked group by 1, 2, 3, 4
       union all
       select provider, schema_name || '.' || table_name, reason || ' ' || state, failure, walked, estimated from tributary.reconcile
       union all
       select provider, 'stream', incomplete, null, null, null from tributary.stream`,
    );
    const status = await tree.status<{ streams?: unknown }>(name).catch(() => ({}));
    const streams = 'streams' in status ? status.streams : null;
    lines.push(`${name}: ${JSON.stringify({ open, rows, sessions, slots, streams })}`);
  }
  return lines.join('\n');
}
