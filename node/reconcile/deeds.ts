/** What a person, or the window of the topology file, asks of reconcile: each in one transaction with its audit. */
import { v7 as uuid } from 'uuid';
import { type Deed, writeAudit } from '../database/audit.ts';
import { queryOf, type TributaryDatabase } from '../database/tables.ts';
import { wantMended, wantVerify } from '../database/verify-tables.ts';
import type { TableName } from '../parking/parked-key.ts';

export interface Asked {
  readonly provider: string;
  readonly tables: readonly TableName[];
  readonly by: Pick<Deed, 'node' | 'actor'>;
}

/** The tables are compared with the provider's soon. Returns the run, by which its rows are known. */
export async function askVerify(
  database: TributaryDatabase,
  { provider, tables, by }: Asked,
): Promise<string> {
  const run = uuid();
  await database.transaction().execute(async (transaction) => {
    await wantVerify(queryOf(transaction), provider, { tables, run });
    const detail = { run, tables: tables.length };
    await writeAudit(transaction, { ...by, action: 'verify', subject: provider, detail });
  });
  return run;
}

/** What a run found is made equal soon: the rows that plan showed and no others. Returns how many. */
export async function askMend(
  database: TributaryDatabase,
  { provider, run, by }: Pick<Asked, 'provider' | 'by'> & { readonly run: string },
): Promise<number> {
  return await database.transaction().execute(async (transaction) => {
    const keys = await wantMended(queryOf(transaction), provider, run);
    const detail = { run, keys };
    await writeAudit(transaction, { ...by, action: 'reconcile', subject: provider, detail });
    return keys;
  });
}
