/**
 * Before a stream goes on: proves that its provider is the one that was known, where it was. Where doubt remains but
 * nothing can have been lost there, a new slot is made and every table of the stream is compared beside it.
 */
import {
  isRewound,
  noteRewound,
  restartStream,
  rewound,
  rewoundFound,
} from '../database/restart-stream.ts';
import { witnessOf, type StreamRow } from '../database/streams.ts';
import { TributaryError } from '../errors.ts';
import { formatLsn } from '../pgoutput/lsn.ts';
import type { Doubt, Provider } from '../provider/provider.ts';
import { remedyOf } from '../provider/remedy.ts';
import type { AttemptEvents, AttemptOptions } from './stream-attempt.ts';

/** Code doubt, with the doubts themselves. */
export class StreamDoubted extends TributaryError {
  readonly doubts: readonly Doubt[];

  constructor(provider: string, doubts: readonly Doubt[]) {
    super('doubt', { stream: provider, doubts: doubts.map(({ name }) => name).join(', ') });
    this.doubts = doubts;
  }
}

interface Ends {
  readonly provider: Provider;
  readonly known: StreamRow;
}

/** The row the stream goes on from. @throws StreamDoubted; TributaryError of provider and database */
export async function proveOrMend(
  options: AttemptOptions,
  events: AttemptEvents,
  { provider, known }: Ends,
): Promise<StreamRow> {
  const { database, seen } = options;
  const witness = await witnessOf(database, known);
  const found = await provider.prove({
    node: known.provider,
    systemIdentifier: known.systemIdentifier,
    timeline: known.timeline,
    publicationOid: known.publicationOid,
    publicationNonce: known.publicationNonce,
    slot: known.slot,
    position: known.position,
    lastCommit: known.lastCommit,
    witness,
  });
  const doubts = seen ? [...found, seen] : found;
  if (doubts.length === 0 && known.incomplete !== rewoundFound) {
    return known;
  }
  const remedy = remedyOf(doubts, { witnessed: witness !== null });
  if (remedy === 'person') {
    throw new StreamDoubted(known.provider, doubts);
  }
  // As long as what it lost is not sorted out, another doubt does not make it trustworthy.
  const careful = remedy === 'rewound' || isRewound(known);
  return await restart(options, events, { provider, known, doubts, careful });
}

interface Restarting {
  readonly doubts: readonly Doubt[];
  /** The provider went back in time, or is another database: rows are only added here. */
  readonly careful: boolean;
}

/** The slot first: its position is taken with it, and what its provider commits from then on comes by the stream. */
async function restart(
  { database, log, trail }: AttemptOptions,
  events: AttemptEvents,
  { provider, known, doubts, careful }: Ends & Restarting,
): Promise<StreamRow> {
  const names = doubts.map(({ name }) => name);
  const fields = { stream: known.provider, doubts: names.join(', ') };
  log.warn(
    fields,
    careful
      ? 'the provider went back in time or is another database: a new slot is made, and no row here is touched'
      : 'the provider is doubted; nothing can be lost there: a new slot is made',
  );
  if (careful && !isRewound(known)) {
    await noteRewound(database, known, names);
  }
  const start = await provider.makeSlot();
  // crash point: slot-remade
  const [first = 'doubt'] = names;
  const reason = careful ? rewound : first;
  const row = await restartStream(database, known, { start, reason, doubts: names });
  // crash point: stream-restarted
  trail.restart();
  const from = formatLsn(row.position);
  log.warn({ ...fields, from }, 'a new slot was made; every table is compared with the provider');
  events.mended(doubts);
  return row;
}
