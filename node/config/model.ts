/**
 * The topology after validation: what every room reads. Only `load()` makes one, so a Topology is always whole,
 * acyclic and complete with defaults. Durations are milliseconds, sizes are bytes.
 */

export interface Topology {
  /** Path of the file it was read from. */
  readonly file: string;
  /** First 12 hexadecimal digits of the SHA-256 of the file's bytes: tells two files in force apart. */
  readonly digest: string;
  /** IANA zone of windows and pages; everything stored is UTC. */
  readonly zone: string;
  readonly heartbeatMs: number;
  /** When every table is compared with the children: a cron expression in `zone`; null: by command only. */
  readonly verify: string | null;
  /** Leaf first. */
  readonly levels: readonly string[];
  readonly tables: readonly ReplicatedTable[];
  readonly nodes: readonly NodeConfig[];
}

/** One table of the replication set. */
export interface ReplicatedTable {
  readonly schema: string;
  readonly name: string;
  /** null: the primary key, which must be one uuid column. */
  readonly key: readonly string[] | null;
  /** Row filter; null: every row travels. */
  readonly approved: Filter | null;
  /** null: every column. */
  readonly columns: readonly string[] | null;
  /** What leaves nodes of a level, where it is less than `columns`. */
  readonly at: ReadonlyMap<string, { readonly columns: readonly string[] }>;
  readonly identity: 'index' | 'full';
  readonly carry: 'trigger' | 'none';
  /** An existing column that names the node a row was entered at; null: tributary_origin is added above the leaves. */
  readonly origin: string | null;
  readonly orphans: Orphans;
  /** Per foreign key (constraint name) where it differs from `orphans`. */
  readonly orphansByForeignKey: ReadonlyMap<string, Orphans>;
  readonly deletes: { readonly rule: 'hard' } | { readonly rule: 'soft'; readonly column: string };
}

export type Orphans =
  | { readonly rule: 'wait' }
  | { readonly rule: 'keep' }
  | { readonly rule: 'deactivate'; readonly column: string };

/** A row filter: PostgreSQL's text of it, rebuilt from the parsed expression, and the columns it reads. */
export interface Filter {
  readonly sql: string;
  readonly columns: readonly string[];
  /** The columns whose value null would make the filter null: none of them guarded by `is not null`. Informative. */
  readonly expression: FilterExpression;
}

/** Columns, constants, =, <>, <, >, <=, >=, in, is [not] null, and, or, not: an expression that can not raise. */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly FilterExpression[] }
  | { readonly kind: 'not'; readonly operand: FilterExpression }
  | { readonly kind: 'column'; readonly column: string }
  | {
      readonly kind: 'compare';
      readonly operator: '=' | '<>' | '<' | '>' | '<=' | '>=';
      readonly left: FilterOperand;
      readonly right: FilterOperand;
    }
  | {
      readonly kind: 'in';
      readonly left: FilterOperand;
      readonly list: readonly FilterOperand[];
      readonly negated: boolean;
    }
  | { readonly kind: 'null'; readonly operand: FilterOperand; readonly negated: boolean };

export type FilterOperand =
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'constant'; readonly sql: string };

export interface NodeConfig {
  /** [a-z][a-z0-9_]{0,39}; for ever. */
  readonly name: string;
  readonly title: string;
  readonly level: string;
  /** null: the root. */
  readonly parent: string | null;
  readonly link: 'direct' | 'dial';
  /** This node's own PostgreSQL; only this node can read the secret. Its user is the writing role. */
  readonly database: Secret;
  /** How the parent reaches this node's PostgreSQL; null only at the root. Its user is the reading role. */
  readonly provider: Secret | null;
  /** Role names used by prepare and check. */
  readonly roles: { readonly reader: string; readonly writer: string };
  readonly http: { readonly host: string; readonly port: number; readonly open: boolean };
  /** Where the files of this node's PostgreSQL can be seen; null: not watched. */
  readonly disk: { readonly path: string } | null;
  readonly probes: readonly { readonly name: string; readonly url: Secret }[];
  /** Bound of the log retained for the parent; null: not set. */
  readonly outage: { readonly logBytes: number } | null;
  /** Directory for spooling large transactions; null: the system's temporary directory. */
  readonly spool: string | null;
  readonly retired: boolean;
  readonly adopt: boolean;
}

/** A text with `${NAME}` and `${file:PATH}` in it, replaced only where it is needed. */
export interface Secret {
  readonly template: string;
  /** Line in the topology file, for messages. */
  readonly line: number;
  /** @throws TributaryError secret_unreadable, naming the variable or path, never its content. */
  read(): string;
}

/**
 * What a stream may touch here (design promise: a child cannot hurt its siblings).
 * `subtree`: origins that come by way of the provider by the file in force, the provider itself included.
 * `elsewhere`: every other name in the file; a row about one of them is counted as rerouted and left.
 */
export interface StreamScope {
  readonly provider: string;
  readonly providerIsLeaf: boolean;
  readonly subtree: ReadonlySet<string>;
  readonly elsewhere: ReadonlySet<string>;
  /**
   * Of `subtree`: origins that came by another way before, and of which the provider does not have all yet. What it brings
   * of them is applied, what it lacks of them says nothing: none of their rows is removed.
   */
  readonly awaited: ReadonlySet<string>;
  /** The subscriber's name, if the provider takes over rows that stood there under it; null: it does not. */
  readonly adopts: string | null;
}
