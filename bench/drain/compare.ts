/** Whether a side holds exactly the approved rows of the provider: row by row, every column by its text. */
import pg from 'pg';
import { clientConfig } from '../../node/database/connect.ts';
import { filter } from './workload.ts';

export interface Comparison {
  /** Of the provider. */
  readonly rows: number;
  /** Keys that are missing, too many or of other values here. */
  readonly differing: readonly string[];
}

export async function compare(provider: string, subscriber: string): Promise<Comparison> {
  const [there, here] = await Promise.all([read(provider, filter), read(subscriber, 'true')]);
  const [wanted, found] = [new Set(there), new Set(here)];
  const unlike = [
    ...there.filter((row) => !found.has(row)),
    ...here.filter((row) => !wanted.has(row)),
  ];
  // The key of a row that has other values is in both.
  const keys = new Set(unlike.map((row) => row.slice(0, row.indexOf(' '))));
  return { rows: there.length, differing: [...keys] };
}

/** The number of rows. @throws Error with the first key that differs */
export async function assertEqual(provider: string, subscriber: string): Promise<number> {
  const { rows, differing } = await compare(provider, subscriber);
  if (differing.length > 0) {
    throw new Error(`${differing.length} of ${rows} rows differ, among them ${differing[0]}`);
  }
  return rows;
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
