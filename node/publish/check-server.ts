/** What of the server and its settings would break later. Pure. */
import type { Facts } from './catalogue.ts';
import type { Setting } from './catalogue-server.ts';
import { error, type Finding, warning } from './finding.ts';
import type { Intent } from './intent.ts';

export interface DiskFacts {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export function checkServer(
  intent: Intent,
  facts: Facts,
  disk: DiskFacts | null,
): readonly Finding[] {
  const publishing =
    intent.parent === null
      ? []
      : [
          ...checkDecoding(facts),
          ...checkRoom(facts, `tributary_${intent.parent.name}`),
          ...checkBound(intent, facts, disk),
        ];
  return [
    ...publishing,
    ...checkKeepalive(facts),
    ...checkEncoding(facts.server.encoding),
    ...checkRelease(facts.server.version),
    ...checkSafety(facts),
  ];
}

function valueOf(facts: Facts, name: string): Setting | null {
  return facts.server.settings.get(name) ?? null;
}

function checkDecoding(facts: Facts): readonly Finding[] {
  const level = valueOf(facts, 'wal_level');
  if (level === null || level.value === 'logical') {
    return [];
  }
  const advice = level.pendingRestart
    ? 'Restart PostgreSQL: the setting is made and waits for it.'
    : `alter system set wal_level = 'logical'; then restart PostgreSQL.`;
  return [
    error('wal_level', 'wal_level', {
      problem: `wal_level is ${level.value}: nothing can be streamed to the parent`,
      advice,
    }),
  ];
}

/** A slot and a walsender for the parent; what the parent already uses is not asked for twice. */
function checkRoom(facts: Facts, slot: string): readonly Finding[] {
  const own = facts.server.slots.find((one) => one.name === slot);
  const left = (name: string, used: number): number =>
    Number(valueOf(facts, name)?.value ?? Number.POSITIVE_INFINITY) - used;
  const findings: Finding[] = [];
  const add = (name: string): void => {
    const now = Number(valueOf(facts, name)?.value ?? 0);
    findings.push(
      error('none_left', name, {
        problem: `all ${now} are in use: the parent can not stream`,
        advice: `alter system set ${name} = ${now + 5}; then restart PostgreSQL.`,
      }),
    );
  };
  if (own === undefined && left('max_replication_slots', facts.server.slotsUsed) <= 0) {
    add('max_replication_slots');
  }
  if (own?.active !== true && left('max_wal_senders', facts.server.sendersUsed) <= 0) {
    add('max_wal_senders');
  }
  if (own?.walStatus === 'lost') {
    findings.push(
      error('slot_lost', slot, {
        problem: 'the log the parent still needs is gone: the outage outlasted its bound',
        advice:
          'The copies have to be compared: nothing at this node; raise `outage.log` if it happens often.',
      }),
    );
  }
  return findings;
}

const megabyte = 1_048_576;

function checkBound(intent: Intent, facts: Facts, disk: DiskFacts | null): readonly Finding[] {
  const keep = Number(valueOf(facts, 'max_slot_wal_keep_size')?.value ?? -1);
  const object = 'max_slot_wal_keep_size';
  const bytes = intent.node.outage?.logBytes ?? null;
  const wanted = bytes === null ? null : Math.max(1, Math.floor(bytes / megabyte));
  if (keep < 0) {
    return [
      warning('log_unbounded', object, {
        problem:
          'the log kept for the parent has no bound: a long outage fills the disk and stops PostgreSQL',
        advice: `alter system set ${object} = '${wanted ?? 8192}MB'; select pg_reload_conf(); (set \`outage: {log: 8GB}\` in the topology)`,
      }),
    ];
  }
  const findings: Finding[] = [];
  if (wanted !== null && wanted !== keep) {
    findings.push(
      warning('log_bound_differs', object, {
        problem: `it is ${keep} MB, and \`outage.log\` says ${wanted} MB`,
        advice: `alter system set ${object} = '${wanted}MB'; select pg_reload_conf();`,
      }),
    );
  }
  // PostgreSQL enforces the bound at checkpoints only: up to max_wal_size more may stand there.
  const budget = (keep + Number(valueOf(facts, 'max_wal_size')?.value ?? 0)) * megabyte;
  if (disk !== null && budget > disk.totalBytes) {
    findings.push(
      error('log_bound_exceeds_disk', object, {
        problem: `${keep} MB and max_wal_size are more than the whole disk (${Math.floor(disk.totalBytes / megabyte)} MB): the bound protects nothing`,
        advice: `alter system set ${object} = '${Math.max(64, Math.floor(disk.totalBytes / megabyte / 4))}MB'; select pg_reload_conf();`,
      }),
    );
  }
  return findings;
}

function checkKeepalive(facts: Facts): readonly Finding[] {
  const idle = Number(valueOf(facts, 'tcp_keepalives_idle')?.reset ?? 0);
  const timeout = Number(valueOf(facts, 'wal_sender_timeout')?.reset ?? 0);
  const findings: Finding[] = [];
  if (idle === 0 || idle > 600) {
    findings.push(
      warning('tcp_keepalive', 'tcp_keepalives_idle', {
        problem: 'a peer that vanished is noticed after two hours only',
        advice:
          'alter system set tcp_keepalives_idle = 60; alter system set tcp_keepalives_interval = 10; alter system set tcp_keepalives_count = 6; select pg_reload_conf();',
      }),
    );
  }
  if (timeout === 0) {
    findings.push(
      warning('wal_sender_timeout', 'wal_sender_timeout', {
        problem: 'a walsender whose reader vanished stays for ever and holds its log',
        advice: `alter system set wal_sender_timeout = '60s'; select pg_reload_conf();`,
      }),
    );
  }
  return findings;
}

export function checkEncoding(encoding: string): readonly Finding[] {
  return encoding === 'UTF8'
    ? []
    : [
        warning('encoding', 'server_encoding', {
          problem: `the database is encoded in ${encoding}: characters it does not know, coming from a node in UTF8, can not be stored`,
          advice: 'Dump it and restore it into a database created with `encoding UTF8`.',
        }),
      ];
}

/**
 * First minor releases with the last known loss in logical decoding mended: changes of a transaction in progress were
 * lost when a publication or type changed meanwhile (release notes of 15.13, 16.9, 17.5), and the first form of that
 * repair could fail for want of memory (release notes of 15.14, 16.10, 17.6).
 */
const mendedIn: Readonly<Record<number, number>> = { 15: 150_014, 16: 160_010, 17: 170_006 };

export function checkRelease(version: number): readonly Finding[] {
  const major = Math.floor(version / 10_000);
  const mended = mendedIn[major] ?? 0;
  if (major < 15) {
    return [
      error('release_too_old', 'server_version', {
        problem: `PostgreSQL ${major} has no row filters in publications`,
        advice: 'Install PostgreSQL 15 or newer.',
      }),
    ];
  }
  return version >= mended
    ? []
    : [
        warning('release_with_faults', 'server_version', {
          problem: `PostgreSQL ${major}.${version % 10_000} can lose changes in logical decoding while a publication or type is altered`,
          advice: `Install PostgreSQL ${major}.${mended % 10_000} or newer and restart.`,
        }),
      ];
}

function checkSafety(facts: Facts): readonly Finding[] {
  const off = ['fsync', 'full_page_writes'].filter((name) => valueOf(facts, name)?.value === 'off');
  const findings = off.map((name) =>
    warning('not_durable', name, {
      problem: `${name} is off: after a power failure confirmed rows may be missing here`,
      advice: `alter system set ${name} = on; select pg_reload_conf();`,
    }),
  );
  const idle = valueOf(facts, 'idle_replication_slot_timeout');
  if (idle !== null && Number(idle.value) > 0) {
    findings.push(
      warning('idle_slot_timeout', 'idle_replication_slot_timeout', {
        problem:
          'PostgreSQL gives up the slot of a parent that is away this long, whatever the bound of the log',
        advice: 'alter system set idle_replication_slot_timeout = 0; select pg_reload_conf();',
      }),
    );
  }
  return findings;
}
