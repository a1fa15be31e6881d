/** What a first copy took, of either side, and a comparison of what is equal. */
import pg from 'pg';
import { until } from '../../node/testing/until.ts';
import type { Course } from '../drain/course.ts';
import type { NativeSide } from '../drain/native-side.ts';
import type { TributarySide } from '../drain/tributary-side.ts';
import { cpuSeconds } from '../process-figures.ts';

export interface Copied {
  readonly seconds: number;
  readonly nodeCpu: number | null;
  /** Received by the session that read the rows, as the node counts them; null: not known. */
  readonly bytes: number | null;
  readonly peakBytes: number | null;
  readonly eventLoopP99Ms: number | null;
}

const patience = { ms: 600_000, everyMs: 20 } as const;

export async function copyNative(side: NativeSide, course: Course): Promise<Copied> {
  await side.start();
  const { startedAt } = await course.streaming(side.slot);
  await using session = await Session.open(side.url);
  await until(
    async () => {
      const [row] = await session.rows<{ left: number }>(
        `select count(*)::int as left from pg_subscription_rel where srsubstate <> 'r'`,
      );
      return row?.left === 0;
    },
    { what: 'the native copy is level', ...patience },
  );
  const seconds = (Date.now() - startedAt) / 1000;
  return { seconds, nodeCpu: null, bytes: null, peakBytes: null, eventLoopP99Ms: null };
}

/** @param side prepared, not started */
export async function copyOurs(side: TributarySide, course: Course): Promise<Copied> {
  await side.run();
  const { startedAt } = await course.streaming(side.slot);
  await side.eventLoopDelayMs();
  const { node } = await side.processes();
  await using session = await Session.open(side.url);
  await until(async () => (await level(session)) !== null, {
    what: 'our copy is level',
    ...patience,
  });
  const seconds = (Date.now() - startedAt) / 1000;
  return {
    seconds,
    nodeCpu: node === null ? null : await cpuSeconds(node),
    bytes: (await level(session))?.bytes ?? null,
    peakBytes: await side.peakBytes(),
    eventLoopP99Ms: await side.eventLoopDelayMs(),
  };
}

/** Wanted once more, as a person or the night would: it finds rows on both sides and compares. */
export async function reconcileOurs(side: TributarySide): Promise<Copied> {
  await using session = await Session.open(side.url);
  const { node } = await side.processes();
  const before = node === null ? 0 : await cpuSeconds(node);
  await side.eventLoopDelayMs();
  await session.rows(
    `update tributary.reconcile set
       state = 'wanted', reason = 'bench', through = null, walked = 0, sent = 0, repaired = 0, bytes = 0,
       wanted_at = now(), started_at = null, finished_at = null
     where table_name = 'record'`,
  );
  const done = await until(async () => await level(session), {
    what: 'the comparison has ended',
    ...patience,
  });
  if (done.sent > 0) {
    throw new Error(`${done.sent} rows were sent though all are equal`);
  }
  return {
    seconds: done.seconds,
    nodeCpu: node === null ? null : (await cpuSeconds(node)) - before,
    bytes: done.bytes,
    peakBytes: await side.peakBytes(),
    eventLoopP99Ms: await side.eventLoopDelayMs(),
  };
}

interface Level {
  readonly seconds: number;
  readonly bytes: number;
  readonly sent: number;
}

/** Null: not every table is level. */
async function level(session: Session): Promise<Level | null> {
  const [row] = await session.rows<Level & { readonly left: number }>(
    `select
       (select count(*)::int from tributary.reconcile r where r.state <> 'done') as left,
       extract(epoch from r.finished_at - r.started_at)::float8 as seconds,
       r.bytes::float8 as bytes, r.sent::float8 as sent
     from tributary.reconcile r where r.table_name = 'record'`,
  );
  return row?.left === 0 ? row : null;
}

class Session implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<Session> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return new Session(client);
  }

  async rows<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
    return (await this.#client.query<R>(sql)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
