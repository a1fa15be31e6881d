/** Every column of every row: each place against the union of its districts' approved rows. */
import type { Country } from '../country.ts';
import { compare, digest, union, type Difference } from './compare.ts';
import { openComparison, readAbove, readDistrict, type Rows } from './fingerprint.ts';
import type { PlaceUrl } from './level.ts';
import { comparedTables, type ComparedTable } from './table.ts';

/** What one level holds of one table: of the districts the approved rows. */
export interface LevelTable {
  readonly level: string;
  readonly table: string;
  readonly rows: number;
  readonly digest: string;
}

export interface Comparison {
  readonly levels: readonly LevelTable[];
  readonly differences: readonly Difference[];
}

/** Reads all places one table after another, so that only one table's fingerprints are in memory. */
export async function compareLevels(
  country: Country,
  places: readonly PlaceUrl[],
): Promise<Comparison> {
  const levels: LevelTable[] = [];
  const differences: Difference[] = [];
  for (const table of comparedTables) {
    const rows = await readAll(country, places, table);
    const of = (name: string): Rows => rows.get(name) ?? { columns: [], prints: new Map() };
    for (const level of country.levels) {
      const all = union(
        country.places.filter((place) => place.level === level).map(({ name }) => of(name)),
      );
      levels.push({ level, table: table.name, rows: all.prints.size, digest: digest(all) });
    }
    for (const place of country.places.filter(({ name }) => country.children(name).length > 0)) {
      const expected = union(country.districts(place.name).map(({ name }) => of(name)));
      const found = compare({ place: place.name, table: table.name }, expected, of(place.name));
      differences.push(...(found ? [found] : []));
    }
  }
  return { levels, differences };
}

/** One value of one row at a place, changed as no node would: by the superuser, past every trigger. */
export async function falsify(url: string): Promise<void> {
  const client = await openComparison(url);
  try {
    await client.query('set session_replication_role = replica');
    const { rowCount } = await client.query(
      `update public.case_report
       set patient_name = patient_name || '.'
       where id = (select id from public.case_report order by id limit 1)`,
    );
    if (rowCount !== 1) {
      throw new Error('there is no row at the nation to falsify');
    }
  } finally {
    await client.end();
  }
}

async function readAll(
  country: Country,
  places: readonly PlaceUrl[],
  table: ComparedTable,
): Promise<Map<string, Rows>> {
  const rows = new Map<string, Rows>();
  for (const { name, url } of places) {
    const client = await openComparison(url);
    try {
      const district = country.place(name).level === country.leafLevel;
      rows.set(
        name,
        district ? await readDistrict(client, table, name) : await readAbove(client, table),
      );
    } finally {
      await client.end();
    }
  }
  return rows;
}
