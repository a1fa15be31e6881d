/** Hand-written scenarios against two oracles: PostgreSQL's own subscriber, and the provider's rows behind the filter. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newest } from '../database.ts';
import { allowances } from '../oracle/allowances.ts';
import { Oracle, type Pair } from '../oracle/oracle.ts';
import { pairName, pairs } from '../oracle/pairs.ts';
import { judge, play } from '../oracle/play.ts';
import type { Scenario, Topic } from '../oracle/topic.ts';
import { topics } from '../oracle/topic-list.ts';

void test('native is allowed to do otherwise in the scenarios of the list, and in no other', () => {
  const listed = Object.entries(allowances).flatMap(([allow, { scenarios }]) =>
    scenarios.map((title) => `${allow} ${title}`),
  );
  const named = topics.flatMap((topic) =>
    topic.scenarios.flatMap(({ title, allow }) =>
      allow ? `${allow} ${topic.name}: ${title}` : [],
    ),
  );
  assert.deepEqual(named.sort(), listed.sort());
});

void test('a value of another text, a row missing, too many or unseen by native, and an empty table fail', async () => {
  const topic: Topic = {
    name: 'tampered',
    ddl: `create table note (id int primary key, v numeric); create table bare (id int primary key)`,
    tables: [{ name: 'note' }, { name: 'bare' }],
    scenarios: [],
  };
  const scenario: Scenario = {
    title: 'rows arrive',
    run: [`insert into note values (1, 1.0), (2, 2.0), (3, null)`],
  };
  const pair = { provider: newest(), subscriber: newest() };
  await using oracle = await Oracle.create({ pair, topics: [topic] });
  const played = await play(oracle, topic, scenario);
  assert.deepEqual(played, { faults: ['bare: 0 rows at the provider'], native: [] });
  await oracle.atCopy(
    topic,
    `update note set v = 1.00 where id = 1; delete from note where id = 2`,
  );
  await oracle.atCopy(topic, `insert into note values (4, 4, 'district_a')`);
  await oracle.subscribers(topic, `update note set v = 3 where id = 3`);
  const found = await judge(oracle, topic, { ...scenario, empty: ['bare'] });
  assert.deepEqual(found, {
    faults: ['+ (1,1.00)', '+ (3,3)', '+ (4,4)', '- (1,1.0)', '- (2,2.0)', '- (3,)'].map(
      (line) => `note: ${line}`,
    ),
    native: ['+ (1,1.00)', '+ (4,4)', '- (1,1.0)', '- (2,2.0)'].map((line) => `note: ${line}`),
  });
});

for (const pair of pairs()) {
  const fit = topics.filter(
    ({ since, subscriberSince }) =>
      pair.provider >= (since ?? 0) && pair.subscriber >= (subscriberSince ?? 0),
  );
  void test(`${pairName(pair)}: equal to native and to the provider`, async (context) => {
    await run(
      context,
      pair,
      fit.filter((topic) => !topic.alone),
    );
  });
  for (const topic of fit.filter(({ alone }) => alone)) {
    void test(`${pairName(pair)}, ${topic.name}`, async (context) => {
      await run(context, pair, [topic]);
    });
  }
}

/** All topics share three databases; their scenarios come one after the other. */
async function run(context: TestContext, pair: Pair, group: readonly Topic[]): Promise<void> {
  const only = process.env['TEST_TOPIC'];
  const chosen = group.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    return;
  }
  const binary = chosen.some(({ format }) => format === 'binary');
  await using oracle = await Oracle.create({
    pair,
    topics: chosen,
    format: binary ? 'chosen' : 'text',
  });
  assert.equal(oracle.ours.format, binary ? 'binary' : 'text');
  for (const topic of chosen) {
    for (const scenario of topic.scenarios) {
      await context.test(`${topic.name}: ${scenario.title}`, async () => {
        await holds(oracle, topic, scenario);
      });
    }
  }
}

async function holds(oracle: Oracle, topic: Topic, scenario: Scenario): Promise<void> {
  const { faults, native } = await play(oracle, topic, scenario);
  const expected = scenario.missing ?? [];
  const unexpected = faults.filter(
    (line) =>
      !expected.some((each) => (typeof each === 'string' ? each === line : each.test(line))),
  );
  assert.deepEqual(unexpected, []);
  assert.equal(faults.length, expected.length, 'a parked key is missing here');
  assert.deepEqual(await oracle.parked(), scenario.parked ?? []);
  if (scenario.allow === undefined) {
    assert.equal(await oracle.native.failed(), false, 'native stopped');
    assert.deepEqual(native, []);
  } else {
    const otherwise = native.length > 0 || (await oracle.native.failed());
    assert.ok(otherwise, `${scenario.allow}: native does the same by now`);
  }
}
