/**
 * Random workloads as data: what some sessions do at a provider, in one order, so that a seed repeats it and fast-check
 * can shrink it. Numbers mean rows and values modulo small ranges: they meet often.
 */
import fc from 'fast-check';

/** A statement, or what a session does to its transaction. */
export type Deed =
  | {
      readonly kind: 'change';
      readonly action: Action;
      readonly id: number;
      readonly value: number;
    }
  | { readonly kind: 'commit' | 'rollback' | 'savepoint' | 'rollback_to' | 'release' };

export interface Step {
  readonly session: number;
  readonly deed: Deed;
}

export interface Plan {
  /** The stream is held meanwhile, so that all arrives at once. */
  readonly held: boolean;
  readonly steps: readonly Step[];
}

export const sessions = 3;

/** How often each is chosen, relative to the others. */
const actions = {
  draft: 5,
  enterApproved: 3,
  approve: 6,
  withdraw: 4,
  edit: 6,
  editLarge: 3,
  remove: 4,
  changeKey: 4,
  changeKeyAndApprove: 2,
  reinsert: 3,
  moveCode: 6,
  swapCodes: 3,
  takeSeat: 3,
  swapSeats: 4,
  moveSeat: 3,
  leaveSeat: 2,
  addEntry: 3,
  moveEntry: 4,
  editEntry: 3,
  removeEntry: 2,
  manyEntries: 1,
  truncateEntries: 1,
} as const;

export type Action = keyof typeof actions;

const change: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constant('change' as const),
  action: fc.oneof(
    ...Object.entries(actions).map(([action, weight]) => ({
      arbitrary: fc.constant(action as Action),
      weight,
    })),
  ),
  id: fc.nat(15),
  value: fc.nat(23),
});

const mark = (kind: Exclude<Deed['kind'], 'change'>): fc.Arbitrary<Deed> => fc.constant({ kind });

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { arbitrary: change, weight: 20 },
  { arbitrary: mark('commit'), weight: 7 },
  { arbitrary: mark('rollback'), weight: 1 },
  { arbitrary: mark('savepoint'), weight: 2 },
  { arbitrary: mark('rollback_to'), weight: 1 },
  { arbitrary: mark('release'), weight: 1 },
);

/** Up to 120 deeds of three sessions. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  held: fc.boolean(),
  steps: fc.array(fc.record({ session: fc.nat(sessions - 1), deed }), {
    minLength: 20,
    maxLength: 120,
  }),
});
