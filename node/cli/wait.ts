/** `tributary wait`: until all the provider had committed by now is applied here, parked keys apart. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { childrenOf } from '../config/tree.ts';
import { clientConfig } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import { TributaryError } from '../errors.ts';
import { formatLsn, parseLsn, type Lsn } from '../pgoutput/lsn.ts';
import type { Place } from './place.ts';

export interface WaitOptions {
  readonly stream: string;
  readonly timeoutMs: number;
}

const pollMs = 100;

/** 0: applied; 1: not within the time. @throws TributaryError usage | provider_* | database_*. */
export async function waitCommand(
  { topology, node }: Place,
  { stream, timeoutMs }: WaitOptions,
  out: (line: string) => void,
): Promise<number> {
  const children = childrenOf(topology, node);
  const provider = children.find(({ name }) => name === stream)?.provider;
  if (!provider) {
    throw new TributaryError('usage', {
      stream,
      allowed: children.map(({ name }) => name).join(', ') || 'none: this node has no children',
    });
  }
  const deadline = performance.now() + timeoutMs;
  const name = `tributary ${node.name} wait`;
  const target = await providerEnd(provider.read(), name, stream);
  await using own = await connect(node.database.read(), name);
  for (;;) {
    const { position, lacking } = await applied(own.client, stream);
    if (position !== null && position >= target && !lacking) {
      out(`${stream}: applied through ${formatLsn(position)}, which includes ${formatLsn(target)}`);
      return 0;
    }
    if (performance.now() >= deadline) {
      const at = position === null ? 'never began' : `is at ${formatLsn(position)}`;
      const still = lacking ? 'rows of a table that is not level yet are missing' : 'not yet';
      out(`${stream}: ${at}, ${still} at ${formatLsn(target)} after ${timeoutMs / 1000} s`);
      return 1;
    }
    await pause(Math.min(pollMs, Math.max(1, deadline - performance.now())));
  }
}

/** The insert position: with asynchronous commit the written one is behind commits that are visible already. */
async function providerEnd(url: string, applicationName: string, stream: string): Promise<Lsn> {
  try {
    await using provider = await connect(url, applicationName);
    const { rows } = await provider.client.query<{ lsn: string }>(
      `select pg_current_wal_insert_lsn()::text as lsn`,
    );
    return parseLsn(rows[0]?.lsn ?? '');
  } catch (error) {
    const { code, context } = localError(error);
    const refused = code === 'database_refused';
    throw new TributaryError(
      refused ? 'provider_refused' : 'provider_unreachable',
      { ...context, stream },
      { cause: error },
    );
  }
}

interface Applied {
  readonly position: Lsn | null;
  /** A table is left alone, or being made equal: the position says nothing of its rows. */
  readonly lacking: boolean;
}

async function applied(client: pg.Client, stream: string): Promise<Applied> {
  const { rows } = await client.query<{ position: string; lacking: boolean }>(
    `select
       s.position::text as position,
       exists (select from tributary.blocked b where b.provider = s.provider)
         or exists (select from tributary.reconcile r where r.provider = s.provider and r.state not in ('done', 'held'))
         as lacking
     from tributary.stream s
     where s.provider = $1`,
    [stream],
  );
  const [row] = rows;
  return { position: row ? parseLsn(row.position) : null, lacking: row?.lacking ?? false };
}

async function connect(
  url: string,
  applicationName: string,
): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client(clientConfig({ url, applicationName }));
  client.on('error', () => {});
  await client.connect();
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end().catch(() => {});
    },
  };
}
