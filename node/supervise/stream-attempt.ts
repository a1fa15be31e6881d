/**
 * One attempt of one stream: take it over, prove that the provider is the one that was known, then carry parts from
 * provider to apply until told to stop. Failure and retry live around it, in the worker.
 */
import type { Applier } from '../apply/applier.ts';
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { forgetLeftTables } from '../database/left-tables.ts';
import type { SharedLooks } from '../database/shared-looks.ts';
import { patientQuery } from '../database/patient-query.ts';
import type { Query } from '../database/query.ts';
import { noteListed, rewound } from '../database/restart-stream.ts';
import { beginStream, takeOver, type StreamIdentity, type StreamRow } from '../database/streams.ts';
import { queryOf, type TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import type { Doubt, Provider, ProviderTable } from '../provider/provider.ts';
import { HandOver } from '../reconcile/hand-over.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import { scanRewound } from '../reconcile/rewound-scan.ts';
import { AppliedPosition, type StreamSide, Turns } from '../reconcile/stream-side.ts';
import type { Trail } from '../reconcile/trail.ts';
import { Verifier } from '../reconcile/verifier.ts';
import { IdentityWatch } from './identity-watch.ts';
import { proveOrMend, StreamDoubted } from './prove-or-mend.ts';

/** Opens the two ends of streams; made where the rooms are wired. */
export interface StreamEnds {
  /** @throws TributaryError secret_unreadable. */
  openProvider(child: string): Provider;
  openApplier(options: ApplierOptions): Promise<FormatApplier>;
}

export interface ApplierOptions {
  readonly scope: StreamScope;
  readonly epoch: bigint;
  readonly position: Lsn;
  readonly parked: ParkedView;
}

/** An applier that can say whether the provider's binary values fit the local columns. */
export interface FormatApplier extends Applier {
  format(tables: readonly ProviderTable[]): Promise<'text' | 'binary'>;
}

export interface AttemptOptions {
  readonly scope: StreamScope;
  /** The replication set. */
  readonly tables: readonly ReplicatedTable[];
  readonly database: TributaryDatabase;
  /** Of this stream, as long as the process lives. */
  readonly trail: Trail;
  readonly log: Log;
  readonly ends: StreamEnds;
  /** What is parked of the stream. */
  readonly parked: ParkedView;
  readonly looks: SharedLooks;
  /** True: binary was tried and did not fit. */
  readonly textOnly: boolean;
  /** What was seen of the stream before this attempt and is reason for a new slot; null: nothing. */
  readonly seen: Doubt | null;
}

/** What the worker hears of an attempt. */
export interface AttemptEvents {
  opened(provider: Provider): void;
  described(): void;
  /** A new slot was made and noted: what is complete here has changed. */
  began(row: StreamRow): void;
  /** Doubts were met by a new slot. */
  mended(doubts: readonly Doubt[]): void;
  proved(row: StreamRow, applier: Applier): void;
  /** A part is durable and confirmed. */
  applied(position: Lsn): void;
  /** A table was made equal, or more is missing. */
  completenessChanged(): void;
}

/** Resolves when `signal` aborts. @throws TributaryError of provider, apply and database. */
export async function attemptStream(
  options: AttemptOptions,
  events: AttemptEvents,
  signal: AbortSignal,
): Promise<void> {
  const { database, ends } = options;
  const { provider: name } = options.scope;
  const known = await takeOver(database, name);
  if (known?.paused) {
    throw new TributaryError('paused', { stream: name });
  }
  if (known) {
    await database.transaction().execute(async (transaction) => {
      await forgetLeftTables(queryOf(transaction), name, options.tables);
    });
  }
  await using provider = ends.openProvider(name);
  events.opened(provider);
  // Before anything else is asked: a publication that is gone is a doubt here, not a child that was never prepared.
  const proved =
    known && (await unlessAborted(proveOrMend(options, events, { provider, known }), signal));
  if (signal.aborted) {
    return;
  }
  // An address that swallows packets answers after the connect timeout; a planned stop does not wait for it.
  const description = await unlessAborted(provider.describe(), signal);
  if (!description) {
    return;
  }
  events.described();
  const row = proved ?? (await begin(options, provider, description.node));
  if (!known) {
    // crash point: stream-begun
    events.began(row);
  }
  const handOver = await HandOver.load({
    provider: name,
    query: queryOf(database),
    log: options.log,
  });
  const scope = { ...options.scope, awaited: handOver.awaited };
  await using applier = await ends.openApplier({
    scope,
    epoch: row.epoch,
    position: row.position,
    parked: options.parked,
  });
  const format = options.textOnly ? 'text' : await applier.format(description.tables);
  events.proved(row, applier);
  const stream: StreamSide = {
    scope,
    provider,
    applier,
    trail: options.trail,
    parked: options.parked,
    turns: new Turns(),
    position: new AppliedPosition(row.position),
    format,
  };
  if (row.incomplete === rewound) {
    await sortOut(options, { stream, row, signal });
    events.completenessChanged();
  }
  if (signal.aborted) {
    return;
  }
  await using _beside = besideStream(options, { stream, handOver, events, signal });
  await using watch = IdentityWatch.begin(options.looks, row);
  const either = AbortSignal.any([signal, watch.differs]);
  for await (const part of provider.stream(row.position, { signal: either, format })) {
    // crash point: part-received
    const position = await stream.turns.take(async () => {
      await observe(options.trail, part);
      return await applier.apply(part);
    });
    // crash point: part-committed
    provider.confirm(position);
    // crash point: part-confirmed
    stream.position.advance(position);
    events.applied(position);
  }
  if (!signal.aborted) {
    const code = watch.differs.aborted ? 'proof_due' : 'link_cut';
    throw new TributaryError(code, { stream: name });
  }
}

interface Sorting {
  readonly stream: StreamSide;
  readonly row: StreamRow;
  readonly signal: AbortSignal;
}

/** Lists what stands only here or differs here, once the provider is level with its own children. */
async function sortOut(
  { scope, database, tables, log }: AttemptOptions,
  { stream, row, signal }: Sorting,
): Promise<void> {
  if (!scope.providerIsLeaf && !(await stream.provider.isLevel(row.position))) {
    throw new TributaryError('provider_not_level', { stream: scope.provider });
  }
  const query = queryOf(database);
  const patient = (until: AbortSignal): Query => patientQuery(database, until);
  const found = await unlessAborted(
    scanRewound({ stream, tables, query, patient }, signal),
    signal,
  );
  if (found && !signal.aborted) {
    // crash point: rewound-found
    await noteListed(database, row, found);
    // crash point: rewound-listed
    const keys = [...found.values()].reduce((sum, count) => sum + count, 0);
    const fields = { stream: scope.provider, keys };
    log.warn(fields, 'what stands only here, or differs here, is listed and left as it is');
  }
}

async function observe(trail: Trail, part: Part): Promise<void> {
  const { spooled } = part;
  for await (const slice of part.slices()) {
    trail.observe(slice, { spooled });
    if (spooled) {
      return;
    }
  }
}

/** Tables are made equal, and compared, as long as the stream runs; disposal waits for the end of what is being written. */
function besideStream(
  { tables, database, looks, log }: AttemptOptions,
  run: {
    readonly stream: StreamSide;
    readonly handOver: HandOver;
    readonly events: AttemptEvents;
    readonly signal: AbortSignal;
  },
): AsyncDisposable {
  const ended = new AbortController();
  const patient = (until: AbortSignal): Query => patientQuery(database, until);
  const common = { stream: run.stream, tables, query: queryOf(database), patient, looks, log };
  const reconciler = new Reconciler({
    ...common,
    handOver: run.handOver,
    completenessChanged: () => run.events.completenessChanged(),
  });
  const verifier = new Verifier(common);
  const either = AbortSignal.any([run.signal, ended.signal]);
  const running = Promise.all([reconciler.run(either), verifier.run(either)]);
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await running;
    },
  };
}

/** Null when told to stop first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const abort = (): void => aborted.resolve(null);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) {
    abort();
  }
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The first contact: nothing is known of the provider but its name. */
async function begin(
  { scope, database }: AttemptOptions,
  provider: Provider,
  name: string,
): Promise<StreamRow> {
  if (name !== scope.provider) {
    const detail = { expected: scope.provider, found: name };
    throw new StreamDoubted(scope.provider, [{ name: 'node_name_differs', detail }]);
  }
  const slot = await provider.makeSlot();
  // crash point: first-slot-made
  const start: StreamIdentity = slot;
  const incomplete = slot.tablesWithRows.length > 0 ? 'first_copy' : null;
  return await beginStream(database, scope.provider, { ...start, incomplete });
}
