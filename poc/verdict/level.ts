/** Whether every place already has what its districts approved, cheaply: by number and by key and revision. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Country } from '../country.ts';
import { openComparison, nameOf } from './fingerprint.ts';
import { comparedTables, type ComparedTable } from './table.ts';

export interface PlaceUrl {
  readonly name: string;
  readonly url: string;
}

interface Weight {
  readonly rows: bigint;
  readonly sum: bigint;
}

/** Resolves with true as soon as all are level, with false at the deadline. */
export async function untilLevel(
  country: Country,
  places: readonly PlaceUrl[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    if ((await behind(country, places)).length === 0) {
      return true;
    }
    if (performance.now() > deadline) {
      return false;
    }
    await pause(500, undefined, { signal: options.signal });
  }
}

/** The places that are not level now. */
export async function behind(country: Country, places: readonly PlaceUrl[]): Promise<string[]> {
  const weights = new Map<string, readonly Weight[]>();
  for (const { name, url } of places) {
    const district = country.place(name).level === country.leafLevel;
    weights.set(name, await weigh(url, district));
  }
  return country.places
    .filter((place) => country.children(place.name).length > 0)
    .filter((place) => {
      const own = weights.get(place.name) ?? [];
      const districts = country.districts(place.name).map(({ name }) => weights.get(name) ?? []);
      return !comparedTables.every((_, index) =>
        equal(
          own[index],
          districts.map((d) => d[index]),
        ),
      );
    })
    .map((place) => place.name);
}

function equal(own: Weight | undefined, parts: readonly (Weight | undefined)[]): boolean {
  const rows = parts.reduce((total, part) => total + (part?.rows ?? 0n), 0n);
  const sum = parts.reduce((total, part) => total + (part?.sum ?? 0n), 0n);
  return own?.rows === rows && own.sum === sum;
}

async function weigh(url: string, district: boolean): Promise<readonly Weight[]> {
  const client = await openComparison(url);
  try {
    const weights: Weight[] = [];
    for (const table of comparedTables) {
      weights.push(await weighTable(client, table, district));
    }
    return weights;
  } finally {
    await client.end();
  }
}

async function weighTable(
  client: pg.Client,
  table: ComparedTable,
  district: boolean,
): Promise<Weight> {
  const where = district && table.approved !== null ? `where ${table.approved}` : '';
  const { rows } = await client.query<{ rows: string; sum: string }>(
    `select count(id) as rows, coalesce(sum(hashtextextended(id::text || revision, 0)), 0) as sum
     from ${nameOf(table)} ${where}`,
  );
  return { rows: BigInt(rows[0]?.rows ?? 0), sum: BigInt(rows[0]?.sum ?? 0) };
}
