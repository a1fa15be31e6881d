/**
 * Before a stream goes on from a provider that went back in time or is another database: every key whose row exists only
 * here, or differs here, is listed, so that neither the stream nor a comparison beside it ever touches it. No stream runs
 * meanwhile, so nothing here changes; a key that is equal, or missing here, holds nothing that could be lost.
 */
import { loadTarget, originColumn as tributaryOrigin } from '../apply/target.ts';
import type { ReplicatedTable } from '../config/model.ts';
import type { Query } from '../database/query.ts';
import { listRewound, type NewRewound } from '../parking/rewound-table.ts';
import type { ProviderTable } from '../provider/provider.ts';
import type { Key, Reader } from '../provider/reader.ts';
import { compareWalk } from './compare-walk.ts';
import { LocalRanges } from './local-ranges.ts';
import { planTable } from './plan-table.ts';
import { RangeView } from './range-view.ts';
import { here, judged, leaveOutOthers } from './table-sides.ts';
import { keysAtOnce } from './settle.ts';
import type { StreamSide } from './stream-side.ts';
import type { TableSide } from './table-side.ts';

export interface RewoundScanOptions {
  readonly stream: StreamSide;
  /** The replication set, heartbeat and audit included. */
  readonly tables: readonly ReplicatedTable[];
  /** This node's own database. */
  readonly query: Query;
  /** The same for what takes as long as a table is large: no limit of time but the signal. */
  readonly patient: (signal: AbortSignal) => Query;
}

/** How many keys are listed, by table. @throws TributaryError of provider and database; drifted */
export async function scanRewound(
  options: RewoundScanOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const { stream, tables } = options;
  const { tables: published } = await stream.provider.describe();
  const found = new Map<string, number>();
  await using reader = await stream.provider.openReader();
  for (const table of published) {
    if (tables.some((each) => isSame(each, table)) && !isHeartbeat(table)) {
      const side = await sideOf(options, { table, published, reader, signal });
      found.set(`${table.schema}.${table.name}`, await scanTable(side));
    }
  }
  for (const table of tables) {
    if (!isHeartbeat(table) && !published.some((each) => isSame(each, table))) {
      found.set(`${table.schema}.${table.name}`, await listAll(options, table, signal));
    }
  }
  return found;
}

/**
 * Every row of the subtree in a table that the provider does not publish: it may have been published after the backup was
 * made, and will be again, by when nobody knows any more what of it may be the last copy.
 */
async function listAll(
  { stream, tables, query, patient }: RewoundScanOptions,
  table: ReplicatedTable,
  signal: AbortSignal,
): Promise<number> {
  const target = await loadTarget(query, table);
  const originColumn = table.origin ?? tributaryOrigin;
  if (!target?.columns.has(originColumn) || target.key.length === 0) {
    return 0;
  }
  const { schema, name, key } = target;
  const read = { schema, name, columns: key, key };
  const keyTypeOids = key.map((one) => target.columns.get(one)?.typeOid ?? 0);
  const plan = { read, compared: read, keyTypeOids, originColumn };
  const local = new LocalRanges({ query, patient: patient(signal) }, plan, {
    subtree: judged(stream.scope),
    ...here(table, tables),
  });
  let count = 0;
  for (let after: Key | null = null; ;) {
    signal.throwIfAborted();
    const rows = await local.originsAfter(after, keysAtOnce);
    const found = rows.map((row) => ({ table: read, ...row, onlyHere: true }));
    await listRewound(query, stream.parked, found);
    count += rows.length;
    after = rows.at(-1)?.key ?? null;
    if (rows.length < keysAtOnce) {
      return count;
    }
  }
}

/** A heartbeat tells of now: an older one takes the place of a newer one. */
function isHeartbeat({ schema, name }: Name): boolean {
  return schema === 'tributary' && name === 'heartbeat';
}

interface Name {
  readonly schema: string;
  readonly name: string;
}

function isSame(a: Name, b: Name): boolean {
  return a.schema === b.schema && a.name === b.name;
}

async function sideOf(
  { stream, tables, query, patient }: RewoundScanOptions,
  { table, published, reader, signal }: Scanned,
): Promise<TableSide> {
  const plan = await planTable(table, { published, tables, scope: stream.scope, query });
  await leaveOutOthers(reader, plan, stream.scope);
  const local = new LocalRanges({ query, patient: patient(signal) }, plan, {
    subtree: judged(stream.scope),
    ...here(table, tables),
  });
  return { stream, plan, reader, local, query, signal };
}

interface Scanned {
  readonly table: ProviderTable;
  readonly published: readonly ProviderTable[];
  readonly reader: Reader;
  readonly signal: AbortSignal;
}

async function scanTable(side: TableSide): Promise<number> {
  let count = 0;
  await compareWalk(side, {
    after: null,
    suspicious: async (keys) => {
      for (let at = 0; at < keys.length; at += keysAtOnce) {
        count += await listDiffering(side, keys.slice(at, at + keysAtOnce));
      }
    },
    walked: async () => {
      side.signal.throwIfAborted();
      await Promise.resolve();
    },
  });
  return count;
}

async function listDiffering(side: TableSide, keys: readonly Key[]): Promise<number> {
  const { stream, plan, reader, signal, local, query } = side;
  await using range = await RangeView.open({ reader, trail: stream.trail }, plan.read, signal);
  const theirs = await range.view.hashesByKey(plan.compared, keys);
  const ours = await local.hashesByKey(keys);
  const origins = await local.originsByKey(keys);
  const found = keys.flatMap((key, number): readonly NewRewound[] => {
    const there = theirs.get(number);
    const stands = ours.get(number);
    const origin = origins.get(number);
    return stands === undefined || stands === there || origin === undefined
      ? []
      : [{ table: plan.read, key, onlyHere: there === undefined, origin }];
  });
  await listRewound(query, stream.parked, found);
  // crash point: rewound-keys-listed
  return found.length;
}
