/**
 * Every metric of the node, declared once. Base units in the names, counters end in `_total` and start at 0, what is
 * unknown is absent. Label values are bounded: nodes, tables, states, phases, slots.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

interface Declaration {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

const slot = ['slot_name', 'slot_type'] as const;

const declarations = {
  tributary_node_info: {
    kind: 'gauge',
    help: 'Always 1; version of this process and digest of the topology file in force.',
    labels: ['node', 'level', 'version', 'topology'],
  },
  tributary_leader: {
    kind: 'gauge',
    help: '1: this process serves the node. 0: it waits for its turn or for the database.',
    labels: [],
  },
  tributary_ready: {
    kind: 'gauge',
    help: '1: leading, database reachable, prepared.',
    labels: [],
  },
  tributary_database_up: {
    kind: 'gauge',
    help: "1: this node's own PostgreSQL answered the last question.",
    labels: [],
  },
  tributary_topology_valid: {
    kind: 'gauge',
    help: '1: the topology file last read is in force. 0: it has problems and the one before is.',
    labels: [],
  },
  tributary_stream_state: {
    kind: 'gauge',
    help: 'State of a stream: 1 for the one it is in, 0 for the others.',
    labels: ['stream', 'state'],
  },
  tributary_stream_received_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log not yet received, as of its last message; absent while not connected.",
    labels: ['stream'],
  },
  tributary_stream_applied_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log not yet applied, as of its last message; absent while not connected.",
    labels: ['stream'],
  },
  tributary_stream_confirmed_lag_bytes: {
    kind: 'gauge',
    help: "The provider's log not yet confirmed, as of its last message; absent while not connected.",
    labels: ['stream'],
  },
  tributary_stream_queued_bytes: {
    kind: 'gauge',
    help: 'Received and waiting to be applied.',
    labels: ['stream'],
  },
  tributary_stream_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes received from the provider.',
    labels: ['stream'],
  },
  tributary_stream_rows_applied_total: {
    kind: 'counter',
    help: 'Row changes applied, as the provider sent them.',
    labels: ['stream', 'table', 'operation'],
  },
  tributary_stream_transactions_applied_total: {
    kind: 'counter',
    help: 'Source transactions applied.',
    labels: ['stream'],
  },
  tributary_stream_conflicts_total: {
    kind: 'counter',
    help: "Rows that met another state here than expected, by PostgreSQL's names of conflicts.",
    labels: ['stream', 'conflict_type', 'table'],
  },
  tributary_stream_replays_total: {
    kind: 'counter',
    help: 'Parts applied step by step after a set had failed.',
    labels: ['stream'],
  },
  tributary_stream_connections_total: {
    kind: 'counter',
    help: 'Replication connections opened; the first one included.',
    labels: ['stream'],
  },
  tributary_stream_reconnects_total: {
    kind: 'counter',
    help: 'Replication connections opened after the first.',
    labels: ['stream'],
  },
  tributary_stream_phase_seconds_total: {
    kind: 'counter',
    help: 'Where the time of a stream goes: network (waiting for the provider), decode, prepare, apply, commit.',
    labels: ['stream', 'phase'],
  },
  tributary_origin_heartbeat_age_seconds: {
    kind: 'gauge',
    help: 'Age of the newest heartbeat of that origin applied here; absent while none came.',
    labels: ['origin'],
  },
  tributary_origin_complete: {
    kind: 'gauge',
    help: '1: every hop on the way says that nothing of that origin is missing.',
    labels: ['origin'],
  },
  tributary_replication_slots_active: {
    kind: 'gauge',
    help: "1: a replication slot of this node's PostgreSQL is in use.",
    labels: slot,
  },
  tributary_replication_slots_retained_bytes: {
    kind: 'gauge',
    help: 'Log retained by a slot.',
    labels: slot,
  },
  tributary_replication_slots_unconfirmed_bytes: {
    kind: 'gauge',
    help: 'Log the subscriber of a slot has not confirmed.',
    labels: slot,
  },
  tributary_replication_slots_safe_wal_bytes: {
    kind: 'gauge',
    help: 'Log that can still be written before a slot may be lost; absent without a bound.',
    labels: slot,
  },
  tributary_replication_slots_wal_status: {
    kind: 'gauge',
    help: 'wal_status of a slot: 1 for the one it has, 0 for the others.',
    labels: [...slot, 'wal_status'],
  },
  tributary_wal_directory_bytes: {
    kind: 'gauge',
    help: "Size of pg_wal of this node's PostgreSQL; absent without the right to see it.",
    labels: [],
  },
  tributary_disk_total_bytes: {
    kind: 'gauge',
    help: "Size of the disk that holds this node's PostgreSQL.",
    labels: ['path'],
  },
  tributary_disk_free_bytes: {
    kind: 'gauge',
    help: "Free space, for others than root, on the disk that holds this node's PostgreSQL.",
    labels: ['path'],
  },
  tributary_findings: {
    kind: 'gauge',
    help: 'What the watch over publication, identities and slots found amiss, by severity.',
    labels: ['severity'],
  },
} as const satisfies Record<string, Declaration>;

export type MetricName = keyof typeof declarations;

export type Labels = Readonly<Record<string, string>>;

/** A registry of one process; values are set anew from a snapshot before each scrape. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #metrics: ReadonlyMap<MetricName, Counter | Gauge>;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#metrics = new Map(
      (Object.keys(declarations) as MetricName[]).map((name) => [name, this.#declare(name)]),
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Forgets the values of the snapshot before; process and event loop keep theirs. */
  clear(): void {
    for (const [name, metric] of this.#metrics) {
      metric.reset();
      if (declarations[name].labels.length === 0) {
        metric.remove();
      }
    }
  }

  /** Sets a gauge, or a counter to what it has counted so far. Null and undefined: unknown, the series is absent. */
  set(
    name: MetricName,
    value: number | bigint | boolean | null | undefined,
    labels: Labels = {},
  ): void {
    if (value === null || value === undefined) {
      return;
    }
    const metric = this.#metrics.get(name);
    const number = Number(value);
    if (metric instanceof Counter) {
      metric.inc(labels, number);
    } else {
      metric?.set(labels, number);
    }
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  #declare(name: MetricName): Counter | Gauge {
    const { kind, help, labels } = declarations[name];
    const configuration = { name, help, labelNames: [...labels], registers: [this.#registry] };
    return kind === 'counter' ? new Counter(configuration) : new Gauge(configuration);
  }
}
