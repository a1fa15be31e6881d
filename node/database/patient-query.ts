/**
 * Statements that take as long as a table is large, over the pool of the small ones: no statement_timeout ends them, but
 * the signal does, and they never have more than some of its connections.
 */
import { Places } from './places.ts';
import type { Query } from './query.ts';
import { queryOf, type TributaryDatabase } from './tables.ts';

/** Of the six connections of a node's pool; the others are for its heartbeat, its streams and its page. */
const most = 3;

const places = new WeakMap<TributaryDatabase, Places>();

/** Rejects with the signal's reason, or the database's error. */
export function patientQuery(database: TributaryDatabase, signal: AbortSignal): Query {
  const own = places.get(database) ?? new Places(most);
  places.set(database, own);
  return async (text, values) => {
    const leave = await own.take(signal);
    using _place = { [Symbol.dispose]: leave };
    return await database.transaction().execute(async (transaction) => {
      const query = queryOf(transaction);
      const { rows } = await query(
        `select pg_backend_pid() as pid, set_config('statement_timeout', '0', true)`,
      );
      const [session] = rows as readonly { readonly pid: number }[];
      let cancelling: Promise<unknown> = Promise.resolve();
      const cancel = (): void => {
        cancelling = queryOf(database)('select pg_cancel_backend($1)', [session?.pid]).catch(
          () => {},
        );
      };
      signal.throwIfAborted();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await query(text, values);
      } finally {
        signal.removeEventListener('abort', cancel);
        // Arriving later it would end what the connection does next.
        await cancelling;
      }
    });
  };
}
