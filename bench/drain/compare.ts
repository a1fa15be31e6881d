/** Whether a side holds exactly the approved rows of the provider: row by row, every column by its text. */
import pg from 'pg';
import { clientConfig } from '../../node/database/connect.ts';
import { filter } from './workload.ts';

/** How many rows the provider has, and how many keys are missing, too many or of other values here. */
export async function compare(
  provider: string,
  subscriber: string,
): Promise<{ readonly rows: number; readonly differing: number }> {
  const [there, here] = await Promise.all([read(provider, filter), read(subscriber, 'true')]);
  const [wanted, found] = [new Set(there), new Set(here)];
  const unlike = [
    ...there.filter((row) => !found.has(row)),
    ...here.filter((row) => !wanted.has(row)),
  ];
  // The key of a row that has other values is in both.
  return { rows: there.length, differing: new Set(unlike.map((row) => row.slice(0, 36))).size };
}

/** @throws Error with the first row that differs. */
export async function assertEqual(provider: string, subscriber: string): Promise<number> {
  const [there, here] = await Promise.all([read(provider, filter), read(subscriber, 'true')]);
  const differs = there.findIndex((row, at) => row !== here[at]);
  if (differs >= 0 || there.length !== here.length) {
    const at = differs >= 0 ? differs : there.length;
    throw new Error(
      `rows differ: ${there.length} and ${here.length}; first at ${at}: ${there[at] ?? 'none'}, ${here[at] ?? 'none'}`,
    );
  }
  return there.length;
}

/** Key and digest of each row, in the order of the key. */
async function read(url: string, where: string): Promise<string[]> {
  const client = new pg.Client(clientConfig({ url, applicationName: 'bench compare' }));
  await client.connect();
  try {
    const { rows } = await client.query<{ row: string }>(
      `select id || ' ' || md5(row(id, status, facility, patient, amount, entered, note, body)::text) as row
       from public.record where ${where} order by id`,
    );
    return rows.map(({ row }) => row);
  } finally {
    await client.end();
  }
}
