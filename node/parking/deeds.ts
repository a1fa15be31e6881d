/** What a person does about parked keys: each in one transaction with its audit. */
import { CompiledQuery, sql } from 'kysely';
import { type Deed, writeAudit } from '../database/audit.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import { because, type KeyOfTable, type TableName, tableText } from './parked-key.ts';
import { makeDue, type ParkQuery, unpark } from './parked-table.ts';
import type { ParkedView } from './parked-view.ts';
import { freeRewound } from './rewound-table.ts';

export type By = Pick<Deed, 'node' | 'actor'>;

/** Every parked key of a stream, or of one of its tables, is due now. Returns how many. */
export async function retryNow(
  database: TributaryDatabase,
  {
    provider,
    table,
    by,
  }: { readonly provider: string; readonly table: TableName | null; readonly by: By },
): Promise<number> {
  return await database.transaction().execute(async (transaction) => {
    const count = await makeDue(queryOf(transaction), provider, table);
    const detail = { table: table && tableText(table), keys: count };
    await writeAudit(transaction, { ...by, action: 'parked_retry', subject: provider, detail });
    return count;
  });
}

/**
 * A key is given up: it is left as it stands here until its row changes at the child, or the table is reconciled.
 * @throws TributaryError key_not_parked
 */
export async function discardKey(
  database: TributaryDatabase,
  view: ParkedView,
  { key, reason, by }: { readonly key: KeyOfTable; readonly reason: string; readonly by: By },
): Promise<void> {
  await view.exclusive(async () => {
    await database.transaction().execute(async (transaction) => {
      const query = queryOf(transaction);
      if ((await unpark(query, view.provider, [key])) === 0) {
        throw new TributaryError('key_not_parked', {
          stream: view.provider,
          table: tableText(key.table),
        });
      }
      const detail = { table: tableText(key.table), reason };
      const deed = { ...by, action: 'parked_discard', subject: view.provider, detail };
      await writeAudit(transaction, deed);
      await sql`select tributary.refresh_origins()`.execute(transaction);
    });
    view.remove([key]);
  });
}

export interface Freeing {
  /** Null: of every table. */
  readonly table: TableName | null;
  /** Null: every key. */
  readonly keys: readonly (readonly string[])[] | null;
  readonly by: By;
}

/** Rewound keys follow the child again: each is read there and becomes what it is by then. Returns how many. */
export async function freeKeys(
  database: TributaryDatabase,
  view: ParkedView,
  { table, keys, by }: Freeing,
): Promise<number> {
  return await view.exclusive(async () => {
    const freed = await database.transaction().execute(async (transaction) => {
      const query = queryOf(transaction);
      const some: KeyOfTable[] = [];
      for (const key of keys ?? [null]) {
        some.push(...(await freeRewound(query, { provider: view.provider, table, key })));
      }
      const detail = { table: table && tableText(table), keys: some.length };
      const deed = { ...by, action: 'rewound_free', subject: view.provider, detail };
      await writeAudit(transaction, deed);
      await sql`select tributary.refresh_origins()`.execute(transaction);
      return some;
    });
    view.free(freed);
    view.add(
      freed.map((key) => ({
        ...key,
        ...because('update_missing'),
        origin: null,
        waitsFor: null,
      })),
    );
    return freed.length;
  });
}

function queryOf(database: TributaryDatabase): ParkQuery {
  return async (text, values = []) =>
    await database.executeQuery(CompiledQuery.raw(text, [...values]));
}
