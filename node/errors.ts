/**
 * Every failure that leaves a room is a TributaryError: a code from the catalogue below, a context of names and
 * positions, the cause, and advice in the catalogue. Neither message nor context ever holds a row's value or a secret:
 * PostgreSQL's message, detail and where carry values, so of its errors only SQLSTATE and object names are kept.
 */

/** What the supervisor does with an error: try again soon, wait for a person, or end the process. */
export type Policy = 'passing' | 'person' | 'configuration' | 'stop';

interface Entry {
  readonly policy: Policy;
  /** What is wrong, in one lower-case clause. */
  readonly text: string;
  /** What the operator does about it, in one sentence. */
  readonly advice: string;
}

const catalogue = {
  // configuration
  topology_invalid: {
    policy: 'configuration',
    text: 'the topology file is not valid',
    advice: 'Correct the problems listed, then run `tributary topology validate`.',
  },
  secret_unreadable: {
    policy: 'configuration',
    text: 'a secret named in the topology could not be read',
    advice: 'Set the environment variable or create the file that the topology names.',
  },
  url_invalid: {
    policy: 'configuration',
    text: 'what stands for a database is no URL of PostgreSQL',
    advice:
      'Write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; in a password % is written %25, @ %40, / %2F, # %23, ? %3F.',
  },
  node_unknown: {
    policy: 'configuration',
    text: 'the topology has no node of this name',
    advice:
      'Give `--node` or TRIBUTARY_NODE a name of the file; `tributary topology print` lists them.',
  },
  usage: {
    policy: 'configuration',
    text: 'the command line is not right',
    advice: 'Run `tributary help`.',
  },
  // the node's own database
  database_unreachable: {
    policy: 'passing',
    text: "this node's own PostgreSQL does not answer",
    advice:
      'Start PostgreSQL; if host or port in `database` are wrong, correct them and start the node again.',
  },
  database_refused: {
    policy: 'person',
    text: "this node's own PostgreSQL refuses the login",
    advice:
      'Correct the password of the role or pg_hba.conf (`tributary prepare --plan` prints the line), then `tributary reload`; after a change of `database` start the node again.',
  },
  database_read_only: {
    policy: 'passing',
    text: "this node's own PostgreSQL takes no changes: a standby, or set to read only",
    advice:
      'Promote it (`pg_ctl promote`) if it takes the place of the server before, or point `database` to the one that takes changes.',
  },
  not_prepared: {
    policy: 'person',
    text: 'the database is not prepared for this node',
    advice:
      'Run `tributary prepare --admin URL` with the URL of an owner, then `tributary reload`.',
  },
  node_name_differs: {
    policy: 'person',
    text: 'this database belongs to a node of another name',
    advice:
      "Point `database` to the right server and start the node again; a node's name never changes.",
  },
  prepare_refused: {
    policy: 'person',
    text: 'this database can not be prepared as the topology wants it',
    advice: 'Follow the advice of each problem listed, then run prepare again.',
  },
  prepare_blocked: {
    policy: 'passing',
    text: 'a lock that prepare needs was held by others all the time',
    advice: 'Run prepare again at a quieter hour; what is done is kept.',
  },
  prepare_failed: {
    policy: 'person',
    text: 'PostgreSQL refused a statement of prepare',
    advice: 'Look up the SQLSTATE and the statement; the log of PostgreSQL has the full message.',
  },
  schema_newer: {
    policy: 'person',
    text: 'the database was prepared by a newer Tributary',
    advice: 'Install the version that prepared it, or a newer one.',
  },
  not_leading: {
    policy: 'passing',
    text: 'another process serves this node, or this one is about to',
    advice: 'Nothing: exactly one process serves a node; this one takes over when the other ends.',
  },
  process_silent: {
    policy: 'passing',
    text: "this node's process does not answer as it should",
    advice:
      "Look at its log: what was asked of it may still be done. Where `http` was changed in the topology file, or its port is another process's, start it again.",
  },
  disk_full: {
    policy: 'passing',
    text: "the disk of this node's PostgreSQL is full",
    advice: 'Free space on the disk that holds the data directory; the stream goes on by itself.',
  },
  local_busy: {
    policy: 'passing',
    text: "a lock or a conflict in this node's PostgreSQL",
    advice:
      'Nothing, unless it lasts: then look in pg_stat_activity for the session that holds the lock.',
  },
  fenced: {
    policy: 'stop',
    text: 'another process has taken over this stream',
    advice: 'Nothing: exactly one process serves a node; this one waits for its turn.',
  },
  stream_unknown: {
    policy: 'configuration',
    text: 'this node has no child of this name',
    advice: 'Give the name of a child; `tributary topology print` shows the tree.',
  },
  table_unknown: {
    policy: 'configuration',
    text: 'the replication set has no table of this name',
    advice: 'Give it as `schema.name`, as `tables:` in the topology file does.',
  },
  key_not_parked: {
    policy: 'configuration',
    text: 'this key is not parked',
    advice: 'Give stream, table and key as `tributary parked list --json` shows them.',
  },
  name_struck: {
    policy: 'person',
    text: 'the file no longer has a name that rows here bear',
    advice:
      'Put it back with `retired: true`; once `tributary forget NAME` has removed its rows here and at every level above, strike it.',
  },
  forget_own: {
    policy: 'configuration',
    text: 'by the file in force the rows of this node come here, and would come again',
    advice:
      'Write another `parent` for it, or `retired: true` if the place is closed, bring that file into force here and at the parent, then run it again.',
  },
  forget_file_differs: {
    policy: 'person',
    text: 'this node, or its parent, runs by another file than the one that was read',
    advice:
      'Bring the same file into force at both (`tributary reload`), then run it again: by another file the parent would take the removal for its own.',
  },
  forget_parent_unseen: {
    policy: 'passing',
    text: 'the parent does not stream from this node now, so that nobody knows by which file it runs',
    advice: 'Run it again when the stream to the parent runs; `tributary status` there shows it.',
  },
  stream_not_begun: {
    policy: 'configuration',
    text: 'the stream has not begun yet',
    advice:
      'Wait until its child was reached once; a child that must not stream yet is left out of the file.',
  },
  // the provider
  provider_unreachable: {
    policy: 'passing',
    text: "the child's PostgreSQL does not answer",
    advice:
      'Check the link and `provider` of the child; nothing is lost, the child keeps its log within its bound.',
  },
  provider_busy: {
    policy: 'passing',
    text: "a table of the child's is locked, and a question about it was given up",
    advice:
      'Nothing is lost: it is asked again. If it stays, look at the child in pg_locks for who holds the table, such as an upgrade.',
  },
  keys_busy: {
    policy: 'passing',
    text: 'some rows change faster than they can be compared over this link',
    advice:
      'Nothing is lost: the comparison goes on from where it was, and ends when those rows rest for a moment.',
  },
  provider_refused: {
    policy: 'person',
    text: "the child's PostgreSQL refuses the login",
    advice:
      "Correct user and password in `provider` of the child, or the line in the child's pg_hba.conf.",
  },
  provider_not_prepared: {
    policy: 'person',
    text: 'the child is not prepared',
    advice: 'Run `tributary prepare` at the child.',
  },
  provider_wal_level: {
    policy: 'person',
    text: "the child's wal_level is not logical",
    advice: 'Set `wal_level = logical` at the child and restart its PostgreSQL.',
  },
  provider_standby: {
    policy: 'passing',
    text: "what answers at the child's address is a standby, where no slot can be made",
    advice:
      'Promote it (`pg_ctl promote`) if it takes the place of the server before, or correct `provider` of the child; nothing here is touched.',
  },
  provider_no_slot_free: {
    policy: 'person',
    text: 'the child has no replication slot, walsender or connection left',
    advice:
      'Raise `max_replication_slots`, `max_wal_senders` or `max_connections` at the child and restart its PostgreSQL.',
  },
  slot_in_use: {
    policy: 'passing',
    text: 'the slot is in use by another connection',
    advice:
      'Nothing, unless it lasts: then look in pg_stat_replication at the child for who holds it.',
  },
  link_cut: {
    policy: 'passing',
    text: 'the connection to the child was cut',
    advice: 'Nothing: it is opened again by itself.',
  },
  link_silent: {
    policy: 'passing',
    text: 'nothing was heard from the child for too long',
    advice: 'Nothing: the connection is opened again by itself.',
  },
  reader_slow: {
    policy: 'passing',
    text: "applying is slower than the stream; the connection was closed so that the child's PostgreSQL is not held up",
    advice:
      "Nothing, unless it lasts: then look for locks and slow disks in this node's PostgreSQL.",
  },
  filter_error: {
    policy: 'person',
    text: "the child's walsender fails while it evaluates a row filter",
    advice:
      "Correct `approved` so that it can not raise an error and run prepare. What stands in the log still fails: at the child, `select pg_drop_replication_slot('tributary_PARENT')`; the stream then makes a new slot by itself and every table is compared.",
  },
  protocol: {
    policy: 'person',
    text: 'the child sent a message this version does not understand',
    advice: 'Report it with the server version; install the newest Tributary.',
  },
  doubt: {
    policy: 'person',
    text: 'the child is not provably the one that was known, where it was',
    advice:
      "See the doubt's name in the status; do not drop the slot: the rows here may be the last copy.",
  },
  provider_not_level: {
    policy: 'passing',
    text: 'the child went back in time and is not level with its own children yet',
    advice: 'Nothing: it is asked again until its own children have brought it up to date.',
  },
  proof_due: {
    policy: 'passing',
    text: "the child's publication is no longer the one that was known",
    advice: 'Nothing: the stream is proved anew and begins at a new slot.',
  },
  spool_full: {
    policy: 'passing',
    text: 'the disk for spooling a large transaction is full',
    advice: 'Free space in the spool directory or set `spool` to a larger disk.',
  },
  text_needed: {
    policy: 'passing',
    text: 'a table does not fit the binary format; the stream is opened again in text',
    advice: 'Nothing.',
  },
  // applying
  drifted: {
    policy: 'person',
    text: "a table differs from the child's so that rows are impossible",
    advice:
      'Run the statement that `tributary status` shows; the table comes back by itself, and all others go on.',
  },
  paused: {
    policy: 'person',
    text: 'the stream was paused by a person',
    advice: 'Run `tributary resume STREAM` on the machine of this node.',
  },
  internal: {
    policy: 'passing',
    text: 'an unexpected failure',
    advice: 'Report it with the log line.',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** Names, positions and SQLSTATE only; never a row's value, never a secret. */
export type ErrorContext = Readonly<
  Record<string, string | number | bigint | boolean | null | undefined>
>;

/** The one error class of the project; `cause` is kept for its SQLSTATE and is never printed whole. */
export class TributaryError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, context: ErrorContext = {}, options: { cause?: unknown } = {}) {
    super(catalogue[code].text, options);
    this.name = 'TributaryError';
    this.code = code;
    this.context = context;
  }

  get policy(): Policy {
    return catalogue[this.code].policy;
  }

  get advice(): string {
    return catalogue[this.code].advice;
  }
}

export function policyOf(code: ErrorCode): Policy {
  return catalogue[code].policy;
}

export function textOf(code: ErrorCode): string {
  return catalogue[code].text;
}

export function adviceOf(code: ErrorCode): string {
  return catalogue[code].advice;
}

/** Every code of the catalogue, in its order. */
export const errorCodes = Object.keys(catalogue) as readonly ErrorCode[];
