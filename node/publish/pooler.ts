/** Whether a pooler stands between: sessions, advisory locks and walsenders need PostgreSQL itself. */
import type pg from 'pg';

/**
 * A pooler answers the start-up with a process number of its own making (the key for cancelling), so the number the
 * client was told is not the number of the server process that works for it.
 */
export async function isPooled(client: pg.ClientBase): Promise<boolean> {
  const told = (client as pg.ClientBase & { readonly processID?: number | null }).processID;
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
  return typeof told === 'number' && told !== rows[0]?.pid;
}
