/** The address of one child has come to mean its sibling's server, which has a slot of the very name that is looked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUntouched, enter, versionsOf } from '../kept-rows.ts';
import { streamStatus, untilDoubt, untilStreaming } from '../stream-watch.ts';
import { Tree } from '../tree.ts';
import { heard, rewound } from '../way-back.ts';

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;
const fromA = { subscriber: 'north', provider: 'district_a' };
const fromB = { subscriber: 'north', provider: 'district_b' };
const districts = ['district_a', 'district_b'] as const;

type Slots = readonly Record<string, unknown>[];

/** Where every slot of a server stands. */
async function slotsAt(tree: Tree, node: string): Promise<Slots> {
  return await tree.node(node).database.query(
    `select slot_name::text, plugin::text, database::text, active, confirmed_flush_lsn::text
     from pg_replication_slots order by 1`,
  );
}

type Held = ReadonlyMap<string, ReadonlySet<string>>;

/** All that north and nation hold of each district. */
async function held(tree: Tree): Promise<readonly Held[]> {
  return await Promise.all(
    districts.map(async (district) => await versionsOf(tree, ['north', 'nation'], district)),
  );
}

/** Nobody reads the sibling's slot. */
async function slotRests(tree: Tree): Promise<Slots> {
  return await tree.until(
    async () => {
      const slots = await slotsAt(tree, 'district_b');
      return slots.every(({ active }) => active === false) ? slots : null;
    },
    { what: 'the slot at district_b is not in use' },
  );
}

for (const slot of ['taken', 'free'] as const) {
  void test(`an address that means the sibling, whose slot is ${slot}: a doubt, and nothing is touched there or above`, async () => {
    await using tree = await Tree.create({ parents });
    const b = tree.node('district_b').database;
    await enter(tree.node('district_a').database, 'of a', 60);
    await enter(b, 'of b', 40);
    await tree.waitLevel(180_000);
    await heard(tree, fromA);
    await heard(tree, fromB);
    const before = await held(tree);

    // What the sibling's slot would send, were it taken for the one of district_a.
    if (slot === 'free') {
      tree.link('district_b').refuse();
      const rest = await slotRests(tree);
      assert.deepEqual(
        rest.map(({ slot_name: name }) => name),
        ['tributary_north'],
      );
      await b.query(`delete from public.case_report where id in (
        select id from public.case_report order by id limit 10)`);
      await enter(b, 'not for a', 5);
    }
    const slots = await slotsAt(tree, 'district_b');
    tree.link('district_a').redirect(b.cluster.port);
    await untilDoubt(tree, fromA, 'node_name_differs');
    // A process that knows nothing of it finds the same.
    await tree.stop('north');
    tree.start('north');
    await untilDoubt(tree, fromA, 'node_name_differs');
    assert.deepEqual((await streamStatus(tree, fromA)).doubtsMet, []);
    assert.deepEqual(await held(tree), before);
    if (slot === 'free') {
      assert.deepEqual(await slotsAt(tree, 'district_b'), slots);
    } else {
      assert.deepEqual(
        (await slotsAt(tree, 'district_b')).map(({ slot_name: name }) => name),
        ['tributary_north'],
      );
      await untilStreaming(tree, fromB);
    }

    tree.link('district_b').heal();
    tree.link('district_a').redirect(null);
    tree.process('north').signal('SIGHUP');
    await untilStreaming(tree, fromA);
    await tree.waitLevel(180_000);
    for (const stream of [fromA, fromB]) {
      assert.deepEqual((await streamStatus(tree, stream)).doubtsMet, []);
      const said = await rewound(tree, 'north', 'list', '--stream', stream.provider);
      assert.match(said, /no key/);
    }
    await assertUntouched(tree, 'district_a', before[0] ?? new Map());
  });
}
