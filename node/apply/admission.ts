/** Whether a stream may change a row: one pure function of the stream's scope and the row's origin. */
import type { StreamScope } from '../config/model.ts';

/**
 * own: apply. rerouted: by the topology in force the origin comes by another way, or does so only of late; counted and left.
 * violation: the origin is no name of the file, or none at all; the key is parked.
 */
export type Admission = 'own' | 'rerouted' | 'violation';

/** Of a row that is to be removed here: of an origin that is awaited, what the provider lacks says nothing. */
export function removal(scope: StreamScope, origin: string | null): Admission {
  return origin !== null && scope.awaited.has(origin) ? 'rerouted' : admission(scope, origin);
}

export function admission(scope: StreamScope, origin: string | null): Admission {
  if (origin === null) {
    return 'violation';
  }
  if (scope.subtree.has(origin)) {
    return 'own';
  }
  return scope.elsewhere.has(origin) ? 'rerouted' : 'violation';
}
