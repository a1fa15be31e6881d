/** The two ends of this node's streams, by the topology in force: `direct` there, this node's own database here. */
import { openApplier } from '../apply/open-applier.ts';
import { replicationSet } from '../config/built-in.ts';
import type { NodeConfig, Topology } from '../config/model.ts';
import { nodeOf } from '../config/tree.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { openDirect } from '../provider/direct.ts';
import type { StreamEnds } from '../supervise/stream-attempt.ts';
import { version } from './version.ts';

export function streamEnds(topology: Topology, node: NodeConfig, log: Log): StreamEnds {
  return {
    openProvider: (child) => {
      const { provider } = nodeOf(topology, child);
      if (!provider) {
        throw new TributaryError('internal', { stream: child, missing: 'provider' });
      }
      return openDirect({
        url: provider.read(),
        provider: child,
        subscriber: node.name,
        topologyDigest: topology.digest,
        version,
        ...(node.spool === null ? {} : { spoolDirectory: node.spool }),
        log: log.child({ stream: child }),
      });
    },
    openApplier: async ({ scope, epoch, position, parked }) =>
      await openApplier({
        url: node.database.read(),
        applicationName: `tributary ${node.name} apply ${scope.provider} ${topology.digest}`,
        scope,
        tables: replicationSet(topology),
        node: node.name,
        epoch,
        position,
        parked,
        log: log.child({ stream: scope.provider }),
      }),
  };
}
