/** What a person does about a parked key. Pure. */
import type { ParkCause } from './parked-key.ts';

/** One sentence, or two. */
export function adviceFor({ reason, sqlstate }: ParkCause): string {
  switch (reason) {
    case 'row_failed':
      return adviceBySqlstate(sqlstate ?? '');
    case 'value_missing':
      return 'Nothing: the row is brought whole. If it happens often, run `tributary prepare` at the child: its carry trigger is missing.';
    case 'update_missing':
      return 'Nothing: the row is brought whole. If it happens often, find out who deletes rows of other nodes here.';
    case 'origin_violation':
      return 'The key belongs to a row of another node. Find which of the two made it, and delete or renew the other.';
    case 'orphan':
      return 'Nothing: the row goes in when the row it refers to has arrived. If that never comes, see whether it is approved at its node.';
    case 'rewound':
      return 'The child went back in time. Give what stands here back to it by `tributary rewound return`, or take its version by `tributary rewound release`.';
    default:
      return reason satisfies never;
  }
}

function adviceBySqlstate(sqlstate: string): string {
  if (sqlstate === '23505' || sqlstate === '23P01') {
    return 'Another row here holds the same unique value: change one of the two at its node.';
  }
  if (sqlstate.startsWith('23')) {
    return 'Correct the row at its node, or the constraint here.';
  }
  if (sqlstate.startsWith('22')) {
    return 'The column here does not take the value: correct the row at its node, or widen the column here.';
  }
  if (sqlstate.startsWith('P0')) {
    return 'A trigger of this database refuses the row: correct the row at its node, or the trigger.';
  }
  return 'Look up the SQLSTATE; correct the row at its node, or what refuses it here.';
}
