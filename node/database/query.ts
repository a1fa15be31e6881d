/** A statement of a session or a pool, for code that does not care which. Rejects with the database's error. */
export type Query = (
  text: string,
  values?: readonly unknown[],
) => Promise<{ readonly rows: readonly unknown[] }>;
