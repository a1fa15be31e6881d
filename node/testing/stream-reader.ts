/** Reads a provider's stream as apply would, into plain texts a test can compare. */
import { silent } from '../log.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part, Step } from '../pgoutput/part.ts';
import { openDirect } from '../provider/direct.ts';
import type { DirectOptions } from '../provider/direct.ts';
import type { Provider } from '../provider/provider.ts';
import { childName } from './child.ts';
import { roles } from './database.ts';
import type { TestDatabase } from './database.ts';

let subscribers = 0;

/** A provider over the child's database under a subscriber name of its own; `port` leads through a proxy. */
export function openChild(
  database: TestDatabase,
  options: Partial<DirectOptions> & { readonly port?: number } = {},
): Provider {
  subscribers += 1;
  const { port, ...rest } = options;
  return openDirect({
    url: database.url(roles.reader, port),
    provider: childName,
    subscriber: `s${process.pid}_${subscribers}`,
    topologyDigest: '0123456789ab',
    version: '0.1.0',
    log: silent,
    ...rest,
  });
}

export interface Read {
  /** Of each transaction the steps. */
  readonly transactions: readonly (readonly string[])[];
  readonly parts: readonly Pick<Part, 'position' | 'transactionCount' | 'bytes' | 'spooled'>[];
  readonly position: Lsn;
}

/**
 * Reads and confirms until it is enough, then ends the stream cleanly.
 * @throws what the stream does, and after 30 s without enough.
 */
export async function readStream(
  provider: Provider,
  from: Lsn,
  enough: (read: Read) => boolean,
  options: { readonly confirm: boolean } = { confirm: true },
): Promise<Read> {
  const transactions: string[][] = [];
  const parts: Read['parts'][number][] = [];
  const deadline = AbortSignal.timeout(30_000);
  for await (const part of provider.stream(from, { signal: deadline, format: 'text' })) {
    transactions.push(...(await transactionsOf(part)));
    const { position, transactionCount, bytes, spooled } = part;
    parts.push({ position, transactionCount, bytes, spooled });
    if (options.confirm) {
      provider.confirm(position);
    }
    const read: Read = { transactions, parts, position };
    if (enough(read)) {
      return read;
    }
  }
  throw new Error(
    `only ${transactions.length} transactions and ${parts.length} parts came in 30 s`,
  );
}

/** Slices of one spooled transaction are put together. */
export async function transactionsOf(part: Part): Promise<string[][]> {
  const found: string[][] = [];
  for await (const slice of part.slices()) {
    for (const transaction of slice) {
      const texts = transaction.changes.map(textOf);
      if (part.spooled && found[0]) {
        found[0].push(...texts);
      } else {
        found.push(texts);
      }
    }
  }
  return found;
}

function textOf(step: Step): string {
  switch (step.kind) {
    case 'truncate':
      return `truncate ${step.relations.map((relation) => relation.name).join()}`;
    case 'message':
      return `message ${step.prefix} ${step.content.toString()}`;
    default:
      return rowText(step);
  }
}

function rowText(change: Change): string {
  const tuple = change.new ?? change.old;
  const values = Array.from({ length: tuple?.count ?? 0 }, (_, column) =>
    tuple?.kind(column) === 'unchanged' ? '?' : (tuple?.value(column)?.toString() ?? 'null'),
  );
  return `${change.kind} ${change.relation.name} ${values.join()}`;
}
