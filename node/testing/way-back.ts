/** How a stream gets over a provider that was replaced, from outside: heartbeats, doubts, what is listed, what is compared. */
import assert from 'node:assert/strict';
import { streamStatus, type StreamName } from './stream-watch.ts';
import type { Tree } from './tree.ts';

/** A heartbeat the provider writes from now on is applied: its witness. */
export async function heard(tree: Tree, { subscriber, provider }: StreamName): Promise<void> {
  const [now] = await tree
    .node(provider)
    .database.query<{ now: string }>(`select now()::text as now`);
  await tree.until(
    async () =>
      (
        await tree
          .node(subscriber)
          .database.query(`select from tributary.heartbeat where node = $1 and at > $2`, [
            provider,
            now?.now,
          ])
      ).length === 1,
    { what: `a new heartbeat of ${provider} at ${subscriber}`, ms: 120_000 },
  );
}

/** The last heartbeat the provider wrote is the last one applied. */
export async function sameHeartbeat(
  tree: Tree,
  { subscriber, provider }: StreamName,
): Promise<void> {
  const nonce = async (node: string): Promise<unknown> =>
    (
      await tree
        .node(node)
        .database.query(`select nonce from tributary.heartbeat where node = $1`, [provider])
    )[0]?.['nonce'];
  await tree.until(async () => (await nonce(provider)) === (await nonce(subscriber)), {
    what: `the last heartbeat of ${provider} at ${subscriber}`,
  });
}

/** Every table has been compared. */
export async function untilComplete(tree: Tree, stream: StreamName): Promise<void> {
  await tree.until(
    async () => {
      const { state, copies } = await streamStatus(tree, stream);
      return (
        state === 'streaming' && copies.length > 0 && copies.every((copy) => copy.state === 'done')
      );
    },
    { what: `${stream.subscriber} has compared every table`, ms: 120_000, everyMs: 100 },
  );
}

/** The stream goes on, what may be the last copy is listed, and nothing is being compared any more. */
export async function untilListed(tree: Tree, stream: StreamName, doubt: string): Promise<void> {
  await tree.until(
    async () => {
      const { state, doubtsMet, copies, parked } = await streamStatus(tree, stream);
      return (
        state === 'streaming' &&
        doubtsMet.some(({ name }) => name === doubt) &&
        parked.some(({ reason }) => reason === 'rewound') &&
        copies.length > 0 &&
        copies.every((copy) => copy.state === 'done')
      );
    },
    { what: `${stream.subscriber} lists what ${stream.provider} lost`, ms: 400_000, everyMs: 100 },
  );
}

/** `tributary rewound` at that node; what it printed. */
export async function rewound(tree: Tree, node: string, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await tree.command(node, ['rewound', ...words]);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}
