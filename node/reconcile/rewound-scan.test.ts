/** A child came back from an older backup: what is listed here before its stream goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrate } from '../database/migrate.ts';
import type { Query } from '../database/query.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { createChild } from '../testing/child.ts';
import { newest, TestDatabase } from '../testing/database.ts';
import { defaultScope, table } from '../testing/stream-pair.ts';
import { openChild } from '../testing/stream-reader.ts';
import { scanRewound } from './rewound-scan.ts';
import type { StreamSide } from './stream-side.ts';
import { Trail } from './trail.ts';

const ddl = `create table visit (id text primary key, note text, tributary_origin text not null)`;
const visit = table('visit', { key: ['id'] });

/** A region and its nation. */
class Country implements AsyncDisposable {
  readonly region: TestDatabase;
  readonly nation: TestDatabase;

  private constructor(region: TestDatabase, nation: TestDatabase) {
    this.region = region;
    this.nation = nation;
  }

  static async create(): Promise<Country> {
    const country = new Country(await createChild(newest()), await TestDatabase.create());
    const client = await country.nation.admin.connect();
    await migrate(client);
    client.release();
    await country.region.query(ddl);
    await country.region.query('alter publication tributary_up add table visit');
    await country.nation.query(ddl);
    return country;
  }

  /** Keys and how they are listed. */
  async scan(tables = [visit]): Promise<readonly string[]> {
    await using provider = openChild(this.region);
    const subtree = new Set(['district_a', 'village']);
    const stream = {
      scope: { ...defaultScope, providerIsLeaf: false, subtree },
      provider,
      trail: new Trail(),
      parked: new ParkedView('district_a'),
    } as Partial<StreamSide> as StreamSide;
    const query: Query = async (text, values) => await this.nation.query(text, [...(values ?? [])]);
    const found = await scanRewound(
      { stream, tables, query, patient: () => query },
      new AbortController().signal,
    );
    const { rows } = await this.nation.query(
      `select concat_ws(' ', table_name, key, origin, case when only_here then 'only here' else 'differs' end) as line
       from tributary.parked where reason = 'rewound' order by 1`,
    );
    const sum = [...found.values()].reduce((all, count) => all + count, 0);
    assert.equal(sum, rows.length);
    return (rows as { line: string }[]).map(({ line }) => line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.region[Symbol.asyncDispose]();
    await this.nation[Symbol.asyncDispose]();
  }
}

void test('keys are listed with the origin of the row that stands here, so that they go with it another way', async () => {
  await using country = await Country.create();
  await country.region.query(
    `insert into visit values ('equal', 'a', 'village'), ('changed', 'of before', 'village'), ('new', 'b', 'district_a')`,
  );
  await country.nation.query(
    `insert into visit values ('equal', 'a', 'village'), ('changed', 'of the lost day', 'village'),
       ('lost', 'c', 'village'), ('own', 'd', 'district_a'), ('of a sibling', 'e', 'district_b')`,
  );
  assert.deepEqual(await country.scan(), [
    'visit ["changed"] village differs',
    'visit ["lost"] village only here',
    'visit ["own"] district_a only here',
  ]);
});

/** Published after the backup was made: with the publication renewed its rows would be removed here as if the child had removed them. */
void test('of a table that the child does not publish any more every row of its subtree is listed', async () => {
  await using country = await Country.create();
  const wards = `create table ward (place char(2), bed integer, tributary_origin text not null, primary key (place, bed))`;
  await country.region.query(`${wards}; insert into ward values ('A', 1, 'village')`);
  await country.nation.query(`${wards};
    insert into ward values ('A', 1, 'village'), ('B', 7, 'district_a'), ('C', 1, 'district_b');
    insert into visit values ('lost', 'c', 'village')`);
  const ward = table('ward', { key: ['place', 'bed'] });
  const expected = [
    'visit ["lost"] village only here',
    'ward ["A ", "1"] village only here',
    'ward ["B ", "7"] district_a only here',
  ];
  assert.deepEqual(await country.scan([visit, ward, table('installed_nowhere')]), expected);
  // Interrupted and begun anew, in more than one page.
  await country.nation.query(
    `insert into ward select 'M', n, 'village' from generate_series(1, 1500) n`,
  );
  const listed = await country.scan([visit, ward]);
  assert.equal(listed.length, expected.length + 1500);
});
