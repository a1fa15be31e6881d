/**
 * A child's database goes to a newly initialised server, under the same name and address: nothing was written in between,
 * so all is equal again without a person. By dump and restore, and by pg_upgrade.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUntouched, enter, rowsAt, versionsOf } from '../kept-rows.ts';
import type { NodeDatabase } from '../node-database.ts';
import { dumpIntoNew, upgrade } from '../new-server.ts';
import { majorWith } from '../server-programs.ts';
import { streamStatus, untilMended } from '../stream-watch.ts';
import { chain, Tree } from '../tree.ts';
import { heard, rewound, untilComplete } from '../way-back.ts';

interface Mark {
  readonly system: string;
  readonly publication: string;
}

/** What tells one server from another. */
async function markOf(database: NodeDatabase): Promise<Mark> {
  const [mark] = await database.query<Mark & Record<string, unknown>>(
    `select (select system_identifier::text from pg_control_system()) as system,
       (select oid::text from pg_publication where pubname = 'tributary_up') as publication`,
  );
  assert.ok(mark);
  return mark;
}

interface Moving {
  readonly major: number;
  readonly node: string;
  readonly parent: string;
  readonly move: (database: NodeDatabase) => Promise<void>;
  /** Whether `tributary prepare` runs there again. */
  readonly prepared: boolean;
}

/** Equal without a person, and nothing is listed; then as ever. */
async function moves(
  t: { diagnostic(text: string): void },
  { major, node, parent, move, prepared }: Moving,
): Promise<void> {
  await using tree = await Tree.create({ parents: chain, majors: { [node]: major } });
  const stream = { subscriber: parent, provider: node };
  const { database } = tree.node(node);
  await enter(tree.node('district_a').database, 'before', 300);
  await enter(tree.node('north').database, 'before', 30);
  await tree.node('district_a').database.query(
    `insert into public.case_report (id, status) values (gen_random_uuid(), 'draft');
     insert into public.facility (code, name, beds) values ('f1', 'Clinic', 12);
     insert into public.laboratory_result (id, released, value, image)
     values (gen_random_uuid(), true, 'NaN', decode(repeat('00ff', 5000), 'hex'))`,
  );
  await tree.waitLevel(180_000);
  await heard(tree, stream);
  // What stands at a region that is moved is written anew with it.
  const kept = node === 'north' ? ['nation'] : ['north', 'nation'];
  const before = await versionsOf(tree, kept, 'district_a');
  const northern = await versionsOf(tree, ['nation'], 'north');
  const old = await markOf(database);

  await tree.stop(node);
  await database.letGo();
  await move(database);
  const now = await markOf(database);
  assert.notEqual(now.system, old.system, 'another server');
  if (prepared) {
    await tree.prepare([node]);
  }
  tree.start(node);

  await untilMended(tree, stream, 'system_identifier_differs', 120_000);
  await untilComplete(tree, stream);
  await assertUntouched(tree, 'district_a', before);
  await assertUntouched(tree, 'north', northern);
  await enter(tree.node('district_a').database, 'afterwards', 20);
  await tree.node('district_a').database.query(
    `delete from public.case_report where id in (
       select id from public.case_report where note = 'before' order by id limit 7);
     update public.facility set beds = 13 where code = 'f1'`,
  );
  await tree.waitLevel(180_000);
  assert.equal((await rowsAt(tree, 'nation', 'district_a')).size, 313);
  const said = await rewound(tree, parent, 'list', '--stream', node);
  assert.match(said, /no key/);
  const { doubtsMet, parked } = await streamStatus(tree, stream);
  assert.deepEqual(parked, []);
  t.diagnostic(doubtsMet.map(({ name }) => name).join(', '));
}

const ways = [
  {
    how: 'a dump restored into a new server, prepared again',
    needed: ['pg_dump', 'pg_restore'],
    move: dumpIntoNew,
    prepared: true,
  },
  {
    how: 'a dump restored into a new server, as it is',
    needed: ['pg_dump', 'pg_restore'],
    move: dumpIntoNew,
    prepared: false,
  },
  {
    how: 'pg_upgrade',
    needed: ['pg_upgrade', 'initdb', 'pg_ctl', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql'],
    move: upgrade,
    prepared: false,
  },
] as const;

for (const { how, needed, ...way } of ways) {
  const major = majorWith('postgres', ...needed);
  const skip =
    major === null &&
    `needs ${needed.join(', ')} of a distribution's PostgreSQL, such as Debian's postgresql-15`;
  for (const [node, parent] of [
    ['district_a', 'north'],
    ['north', 'nation'],
  ] as const) {
    void test(`${how}: ${node} is equal again without a person`, { skip }, async (t) => {
      assert.ok(major);
      await moves(t, { ...way, major, node, parent });
    });
  }
}
