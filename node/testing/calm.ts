/** What is under way, waits for a person, or is not complete at the nodes of a test tree. */
import type { TreeNode } from './tree-node.ts';

/** One line each; empty: nothing. Keys that are parked are made due, so that asking again and again empties the list. */
export async function unrest(nodes: readonly TreeNode[]): Promise<readonly string[]> {
  const parents = nodes.filter(({ children }) => children.length > 0);
  const lines = await Promise.all(parents.map(unrestOf));
  return lines.flat();
}

async function unrestOf({ name, database }: TreeNode): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `with due as (
       update tributary.parked set retry_at = least(retry_at, now()) where reason <> 'rewound'
     )
     select concat_ws(' ', count(*), 'parked in', table_name, reason) as line
     from tributary.parked group by table_name, reason
     union all
     select concat_ws(' ', table_name, 'is', state, reason, failure) from tributary.reconcile where state <> 'done'
     union all
     select concat_ws(' ', table_name, 'is blocked') from tributary.blocked
     union all
     select concat_ws(' ', 'comparing', table_name, 'is', state, failure) from tributary.verify where state <> 'done'
     union all
     select concat_ws(' ', 'the stream of', provider, 'lacks', incomplete) from tributary.stream where incomplete is not null
     union all
     select concat_ws(' ', origin, 'is not complete:', coalesce(reason, 'not heard of'))
     from tributary.freshness where complete is not true and origin <> (select name from tributary.node)`,
  );
  return rows.map(({ line }) => `${name}: ${line}`);
}
