/** One stream of a test tree from outside: what the subscriber says of it, and every move of its position. */
import assert from 'node:assert/strict';
import type { StatusReport, StreamStatus } from '../monitor/status-report.ts';
import type { Tree } from './tree.ts';

export interface StreamName {
  readonly subscriber: string;
  readonly provider: string;
}

/** @throws when the subscriber does not answer. */
export async function streamStatus(
  tree: Tree,
  { subscriber, provider }: StreamName,
): Promise<StreamStatus> {
  const { streams } = await tree.status<StatusReport>(subscriber);
  const stream = streams.find((stream) => stream.provider === provider);
  assert.ok(stream, `${subscriber} knows no stream ${provider}`);
  return stream;
}

/** Waits until the stream needs a person because of this doubt; all its doubts. */
export async function untilDoubt(tree: Tree, stream: StreamName, doubt: string): Promise<string[]> {
  return await tree.until(
    async () => {
      const { state, doubts } = await streamStatus(tree, stream);
      const names = doubts.map(({ name }) => name);
      return state === 'person' && names.includes(doubt) ? names : null;
    },
    { what: `${stream.subscriber} doubts ${stream.provider}: ${doubt}`, ms: 45_000, everyMs: 100 },
  );
}

/** Waits until the stream goes on at a new slot because of this doubt, and every table is equal. */
export async function untilMended(
  tree: Tree,
  stream: StreamName,
  doubt: string,
  ms = 400_000,
): Promise<void> {
  await tree.until(
    async () => {
      const { doubtsMet, complete, state } = await streamStatus(tree, stream);
      return (
        state === 'streaming' && complete === true && doubtsMet.some(({ name }) => name === doubt)
      );
    },
    { what: `${stream.subscriber} mends ${stream.provider}: ${doubt}`, ms, everyMs: 100 },
  );
}

export async function untilStreaming(tree: Tree, stream: StreamName): Promise<void> {
  await tree.until(async () => (await streamStatus(tree, stream)).state === 'streaming', {
    what: `${stream.subscriber} streams from ${stream.provider}`,
    ms: 45_000,
    everyMs: 100,
  });
}

/** A move of a stream's position at the subscriber. */
export interface Move {
  readonly before: string;
  readonly after: string;
  /** Process id of the server session that moved it. */
  readonly backend: number;
}

/** From now on every move of a position at this node is written down, in the transaction that makes it. */
export async function watchMoves(tree: Tree, node: string): Promise<void> {
  await tree.node(node).database.query(`
    create table public.move (
      number bigint generated always as identity primary key,
      provider text not null,
      before pg_lsn not null,
      after pg_lsn not null,
      backend integer not null
    );
    create function public.write_move() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    begin
      insert into public.move (provider, before, after, backend)
      values (new.provider, old.position, new.position, pg_backend_pid());
      return null;
    end
    $$;
    create trigger write_move after update of position on tributary.stream
      for each row when (old.position is distinct from new.position)
      execute function public.write_move();
    alter table tributary.stream enable always trigger write_move;
  `);
}

/** In the order of the commits. */
export async function movesOf(
  tree: Tree,
  { subscriber, provider }: StreamName,
): Promise<readonly Move[]> {
  return await tree
    .node(subscriber)
    .database.query<Move & Record<string, unknown>>(
      `select before::text, after::text, backend from public.move where provider = $1 order by number`,
      [provider],
    );
}

/** Each move begins where the one before ended: no stretch of the provider's log was applied twice or left out. */
export async function assertUnbroken(tree: Tree, stream: StreamName): Promise<number> {
  const moves = await movesOf(tree, stream);
  for (const [at, move] of moves.entries()) {
    const { after } = moves[at - 1] ?? { after: move.before };
    assert.equal(move.before, after, `move ${at} of ${moves.length}`);
  }
  return moves.length;
}
