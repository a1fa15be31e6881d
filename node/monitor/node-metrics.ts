/** Metrics of the process, its topology file and what its watches found. */
import type { Declarations } from './declaration.ts';

export const nodeMetrics = {
  tributary_node_info: {
    kind: 'gauge',
    help: 'Always 1; version of this process and digest of the topology file in force.',
    worry: 'Two values of `topology` in one tree for longer than a rollout of the file takes.',
    labels: ['node', 'level', 'version', 'topology'],
  },
  tributary_leader: {
    kind: 'gauge',
    help: '1: this process serves the node. 0: it waits for its turn or for the database.',
    worry: '0 at every process of a node.',
    labels: [],
  },
  tributary_ready: {
    kind: 'gauge',
    help: '1: leading, database reachable, prepared.',
    worry: '0 for some minutes, unless another process of the same node is ready.',
    labels: [],
  },
  tributary_database_up: {
    kind: 'gauge',
    help: "1: this node's own PostgreSQL answered the last question.",
    worry: '0 for some minutes: nothing is applied here and nothing leaves.',
    labels: [],
  },
  tributary_topology_valid: {
    kind: 'gauge',
    help: '1: the topology file last read is in force. 0: it has problems and the one before is.',
    worry: '0: the change that somebody made is not in force.',
    labels: [],
  },
  tributary_findings: {
    kind: 'gauge',
    help: 'What the watch over publication, identities and slots found amiss, by severity.',
    worry: 'Severity error above 0.',
    labels: ['severity'],
  },
  tributary_findings_by_code: {
    kind: 'gauge',
    help: 'The same by code; `tributary status` names the objects and the statement that mends each.',
    worry:
      "identity_lost above 0: the application's own UPDATE and DELETE fail until it is mended.",
    labels: ['code', 'severity'],
  },
  tributary_disk_total_bytes: {
    kind: 'gauge',
    help: "Size of the disk that holds this node's PostgreSQL.",
    worry: 'Never by itself; free space is judged against it.',
    labels: ['path'],
  },
  tributary_disk_free_bytes: {
    kind: 'gauge',
    help: "Free space, for others than root, on the disk that holds this node's PostgreSQL.",
    worry: 'Under a tenth of the size, or used up within a day at the rate of the last hours.',
    labels: ['path'],
  },
} as const satisfies Declarations;
