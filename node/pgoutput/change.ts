/**
 * A row change as it came: the bytes of an Insert, Update or Delete message and the Relation in force when it came.
 * Tuples are views that find their columns on demand, so a change that is only spooled or counted costs nothing.
 */
import type { Relation } from './messages.ts';
import type { Tuple } from './tuple.ts';

export interface Change {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly relation: Relation;
  /** The whole pgoutput message; owned by the change, not a view of the socket's buffer. */
  readonly message: Buffer;
  /** Old row: the replica identity's columns ('K') or the whole row ('O'); null where the message has none. */
  readonly old: Tuple | null;
  /** True when `old` holds the whole row (replica identity full). */
  readonly oldIsWhole: boolean;
  /** New row; null for a delete. */
  readonly new: Tuple | null;
}
