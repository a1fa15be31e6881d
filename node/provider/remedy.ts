/**
 * What may be done about doubts without a person; pure. Only a provider that is provably the one that was known, and went
 * on from where it was, may have rows here overwritten or removed: of any other the rows here may be the last copy.
 */
import type { Doubt, DoubtName } from './provider.ts';

/**
 * mend: nothing can have been lost there; a new slot, and every table is compared. rewound: it went back in time or is
 * another database; rows may only be added here. person: it is not the child's database, or not prepared.
 */
export type Remedy = 'mend' | 'rewound' | 'person';

const remedies = {
  node_name_differs: 'person',
  publication_missing: 'person',
  slot_foreign: 'person',
  system_identifier_differs: 'rewound',
  timeline_forked: 'rewound',
  log_behind: 'rewound',
  witness_missing: 'rewound',
  log_differs: 'rewound',
  publication_recreated: 'mend',
  slot_missing: 'mend',
  slot_lost: 'mend',
  slot_ahead: 'mend',
  transaction_cut: 'mend',
} as const satisfies Record<DoubtName, Remedy>;

/** These alone tell nothing of the database behind them: without a witness it may be an older one. */
const silent: ReadonlySet<DoubtName> = new Set<DoubtName>([
  'publication_recreated',
  'slot_missing',
  'slot_ahead',
]);

/** The most careful remedy that any of the doubts asks for. `witnessed`: a heartbeat of the provider was compared. */
export function remedyOf(
  doubts: readonly Doubt[],
  { witnessed }: { readonly witnessed: boolean },
): Remedy {
  const asked = new Set<Remedy>(doubts.map(({ name }) => remedies[name]));
  if (asked.has('person')) {
    return 'person';
  }
  const unproven = !witnessed && doubts.some(({ name }) => silent.has(name));
  return asked.has('rewound') || unproven ? 'rewound' : 'mend';
}
