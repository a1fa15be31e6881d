/** Whether the provider is provably the one that was known, where it was: facts in, doubts out; pure. */
import { formatLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Publication, SystemIdentity } from './identity.ts';
import type { Doubt, KnownProvider } from './provider.ts';

/** What stands at the provider now. */
export interface ProviderFacts extends SystemIdentity {
  readonly node: string;
  readonly database: string;
  readonly publication: Publication | null;
  /** End of its log, as far as it is inserted. */
  readonly logEnd: Lsn;
  /** The slot of our name; null: none. */
  readonly slot: SlotFacts | null;
  /** Where the known timeline ended at the provider's history; null: the history does not name it. Only read when the timelines differ. */
  readonly knownTimelineEnd: Lsn | null;
  /** Position of the heartbeat whose nonce we hold; null: the provider does not know it. */
  readonly witnessLsn: Lsn | null;
  /** Commits the slot would send up to the known position, by their ends; null: not asked. */
  readonly unconfirmed: readonly Lsn[] | null;
}

export interface SlotFacts {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly walStatus: string | null;
  readonly confirmed: Lsn | null;
}

/** Every reason for doubt, not only the first; an empty list is the proof. */
export function doubtsOf(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  return [
    ...nodeDoubts(known, facts),
    ...logDoubts(known, facts),
    ...publicationDoubts(known, facts),
    ...slotDoubts(known, facts),
    ...witnessDoubts(known, facts),
    ...commitDoubts(known, facts),
  ];
}

function nodeDoubts(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  const doubts: Doubt[] = [];
  if (facts.node !== known.node) {
    doubts.push({ name: 'node_name_differs', detail: { known: known.node, now: facts.node } });
  }
  if (facts.systemIdentifier !== known.systemIdentifier) {
    const detail = { known: known.systemIdentifier, now: facts.systemIdentifier };
    doubts.push({ name: 'system_identifier_differs', detail });
  }
  return doubts;
}

function logDoubts(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  const doubts: Doubt[] = [];
  const position = formatLsn(known.position);
  if (facts.timeline !== known.timeline) {
    const end = facts.timeline > known.timeline ? facts.knownTimelineEnd : null;
    if (end === null || end < known.position) {
      const fork = end === null ? null : formatLsn(end);
      const detail = { known: known.timeline, now: facts.timeline, position, fork };
      doubts.push({ name: 'timeline_forked', detail });
    }
  }
  if (facts.logEnd < known.position) {
    doubts.push({ name: 'log_behind', detail: { position, end: formatLsn(facts.logEnd) } });
  }
  return doubts;
}

function publicationDoubts(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  const { publication } = facts;
  if (!publication) {
    return [{ name: 'publication_missing', detail: {} }];
  }
  const same =
    publication.oid === known.publicationOid && publication.nonce === known.publicationNonce;
  return same
    ? []
    : [
        {
          name: 'publication_recreated',
          detail: { known: known.publicationOid, now: publication.oid },
        },
      ];
}

function slotDoubts(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  const { slot } = facts;
  if (!slot) {
    return [{ name: 'slot_missing', detail: { slot: known.slot } }];
  }
  if (slot.plugin !== 'pgoutput' || slot.database !== facts.database) {
    const detail = { slot: known.slot, plugin: slot.plugin, database: slot.database };
    return [{ name: 'slot_foreign', detail }];
  }
  if (slot.walStatus === 'lost') {
    return [{ name: 'slot_lost', detail: { slot: known.slot, walStatus: slot.walStatus } }];
  }
  if (slot.confirmed !== null && slot.confirmed > known.position) {
    const detail = {
      slot: known.slot,
      confirmed: formatLsn(slot.confirmed),
      position: formatLsn(known.position),
    };
    return [{ name: 'slot_ahead', detail }];
  }
  return [];
}

function witnessDoubts(known: KnownProvider, facts: ProviderFacts): Doubt[] {
  const { witness } = known;
  if (!witness || facts.witnessLsn === witness.lsn) {
    return [];
  }
  const found = facts.witnessLsn === null ? null : formatLsn(facts.witnessLsn);
  return [{ name: 'witness_missing', detail: { lsn: formatLsn(witness.lsn), found } }];
}

/**
 * A copy taken before the position was confirmed holds a slot that stands before it, and another log from there on: what
 * it would send up to the position can not end exactly where the last commit applied here ended. Sees what the witness
 * can not, a copy taken after the last heartbeat.
 */
function commitDoubts({ lastCommit, position }: KnownProvider, facts: ProviderFacts): Doubt[] {
  const { unconfirmed, slot } = facts;
  if (!unconfirmed || !slot || slot.confirmed === null) {
    return [];
  }
  const last = unconfirmed.at(-1) ?? null;
  const expected = lastCommit && lastCommit > slot.confirmed ? lastCommit : null;
  if (last === expected) {
    return [];
  }
  const detail = {
    position: formatLsn(position),
    known: expected && formatLsn(expected),
    now: last && formatLsn(last),
  };
  return [{ name: 'log_differs', detail }];
}
