/** One scenario, played and judged: every table of its topic against both oracles. */
import pg from 'pg';
import { compareTable, differences, textsOf } from './compare.ts';
import type { Oracle } from './oracle.ts';
import type { Scenario, Stage, Topic } from './topic.ts';

export interface Verdict {
  /** What the copy is not, against the provider's rows; and tables that hold nothing. */
  readonly faults: readonly string[];
  /** What native does otherwise. */
  readonly native: readonly string[];
}

export async function play(oracle: Oracle, topic: Topic, scenario: Scenario): Promise<Verdict> {
  if (scenario.before !== undefined) {
    await oracle.subscribers(topic, scenario.before);
  }
  if (scenario.beforeOurs !== undefined) {
    await oracle.atCopy(topic, scenario.beforeOurs);
  }
  await using sessions = new AsyncDisposableStack();
  const stage = stageOf(oracle, topic, sessions);
  if (typeof scenario.run === 'function') {
    await scenario.run(stage);
  } else {
    const session = await stage.session('only');
    for (const statement of scenario.run) {
      await session.query(statement);
    }
  }
  await oracle.level();
  return await judge(oracle, topic, scenario);
}

export async function judge(oracle: Oracle, topic: Topic, scenario: Scenario): Promise<Verdict> {
  const faults: string[] = [];
  const native: string[] = [];
  for (const table of topic.tables) {
    const compared = await compareTable(oracle.sides, topic.name, table);
    const empty = scenario.empty?.includes(table.name) ?? false;
    if ((compared.rows === 0) !== empty) {
      faults.push(`${table.name}: ${compared.rows} rows at the provider`);
    }
    if (scenario.nativeOnly === undefined) {
      faults.push(...compared.withProvider.map((line) => `${table.name}: ${line}`));
    }
    native.push(...compared.withNative.map((line) => `${table.name}: ${line}`));
  }
  for (const query of scenario.alike ?? []) {
    const [ours, theirs] = await Promise.all([
      textsIn(oracle.sides.copy, topic, query),
      textsIn(oracle.sides.native, topic, query),
    ]);
    if (ours.length === 0) {
      faults.push(`${query}: no row`);
    }
    native.push(...differences(ours, theirs).map((line) => `${query}: ${line}`));
    if (ours.join('\n') !== theirs.join('\n') && differences(ours, theirs).length === 0) {
      native.push(`${query}: in another order: ${ours.join(' ')} and ${theirs.join(' ')}`);
    }
  }
  return { faults: faults.slice(0, shown), native: native.slice(0, shown) };
}

/** Differences that are told; a thousand more say no more. */
const shown = 12;

async function textsIn(pool: pg.Pool, topic: Topic, query: string): Promise<readonly string[]> {
  return await textsOf(pool, query.replaceAll('{schema}', pg.escapeIdentifier(topic.name)));
}

function stageOf(oracle: Oracle, topic: Topic, stack: AsyncDisposableStack): Stage {
  const sessions = new Map<string, pg.Client>();
  return {
    session: async (name) => {
      const open =
        sessions.get(name) ??
        stack.adopt(await oracle.session(topic), async (client) => await client.end());
      sessions.set(name, open);
      return open;
    },
    level: async () => await oracle.level(),
    subscribers: async (sql) => await oracle.subscribers(topic, sql),
    upgraded: async (sql) => await oracle.upgraded(topic, sql),
  };
}
