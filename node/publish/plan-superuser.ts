/** The script a superuser runs once per server: two plain roles, four rights, the settings. Pure. */
import { ident } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { RoleFacts, Setting } from './catalogue-server.ts';
import type { Intent } from './intent.ts';
import { alone, type Statement, statement } from './statement.ts';

export function planSuperuser(intent: Intent, facts: Facts): readonly Statement[] {
  const { writer, reader } = intent.node.roles;
  const statements = roleStatements({
    name: writer,
    role: facts.server.roles.writer,
    replication: false,
    database: facts.server.database,
  });
  if (!facts.server.roles.writer?.setReplicationRole) {
    statements.push(
      once('none', {
        why: 'apply works as replica, so that triggers and foreign keys of the application do not fire twice',
        command: `grant set on parameter session_replication_role to ${ident(writer)}`,
      }),
    );
  }
  if (!facts.server.roles.writer?.signal) {
    statements.push(
      once('none', {
        why: 'the node ends a walsender that is stuck, before the disk fills',
        command: `grant pg_signal_backend to ${ident(writer)}`,
      }),
    );
  }
  if (intent.parent !== null) {
    statements.push(
      ...roleStatements({
        name: reader,
        role: facts.server.roles.reader,
        replication: true,
        database: facts.server.database,
      }),
      ...dropperStatements(reader, facts),
    );
  }
  statements.push(...settingStatements(intent, facts));
  return statements;
}

/** Once the owner's part has made the function; until then a slot nobody uses is only named. */
function dropperStatements(reader: string, facts: Facts): readonly Statement[] {
  const owner = facts.definers.get('drop_unused_slot');
  return owner === undefined || owner === reader
    ? []
    : [
        once('none', {
          why: 'dropping a slot that nobody uses any more takes REPLICATION, which the running node does not have',
          command: `alter function tributary.drop_unused_slot(text) owner to ${ident(reader)}`,
        }),
      ];
}

interface WantedRole {
  readonly name: string;
  readonly role: RoleFacts | null;
  readonly replication: boolean;
  readonly database: string;
}

function roleStatements(wanted: WantedRole): Statement[] {
  const { name, role, replication } = wanted;
  const statements: Statement[] = [];
  const add = (why: string, command: string): void => {
    statements.push(once('none', { why, command }));
  };
  if (role === null) {
    add(
      replication ? 'the role the parent logs in with' : 'the role the running node works as',
      `create role ${ident(name)} login${replication ? ' replication' : ''}`,
    );
  } else if (!role.superuser && (!role.login || (replication && !role.replication))) {
    add(
      'the role lacks an attribute',
      `alter role ${ident(name)} login${replication ? ' replication' : ''}`,
    );
  }
  // Not for the parent: whoever monitors sees the text of every session's statements, drafts and all.
  if (!replication && role?.monitor !== true) {
    add('reads positions, slots and settings', `grant pg_monitor to ${ident(name)}`);
  }
  if (role !== null && !role.connect) {
    add(
      'may open connections to this database',
      `grant connect on database ${ident(wanted.database)} to ${ident(name)}`,
    );
  }
  return statements;
}

function settingStatements(intent: Intent, facts: Facts): readonly Statement[] {
  const wanted = [
    ...(intent.parent === null ? [] : publisherSettings(intent, facts)),
    ...tcpSettings(facts),
  ];
  const statements = wanted.map(({ name, value, cost, why }) =>
    alone('superuser', cost, { why, command: `alter system set ${name} = '${value}'` }),
  );
  return statements.length === 0
    ? []
    : [
        ...statements,
        once('reload', { why: 'the settings take effect', command: 'select pg_reload_conf()' }),
      ];
}

interface WantedSetting {
  readonly name: string;
  readonly value: string;
  readonly cost: 'reload' | 'restart';
  readonly why: string;
}

function publisherSettings(intent: Intent, facts: Facts): readonly WantedSetting[] {
  const settings: WantedSetting[] = [];
  const level = facts.server.settings.get('wal_level');
  if (level !== undefined && level.value !== 'logical' && !level.pendingRestart) {
    settings.push({
      name: 'wal_level',
      value: 'logical',
      cost: 'restart',
      why: 'logical decoding needs it; it acts after a restart of PostgreSQL',
    });
  }
  const bound = intent.node.outage;
  if (bound !== null) {
    const megabytes = Math.max(1, Math.floor(bound.logBytes / 1_048_576));
    const keep = facts.server.settings.get('max_slot_wal_keep_size');
    if (keep !== undefined && Number(keep.reset) !== megabytes) {
      settings.push({
        name: 'max_slot_wal_keep_size',
        value: `${megabytes}MB`,
        cost: 'reload',
        why: 'bounds the log kept for the parent (`outage.log`), so that an outage never fills the disk',
      });
    }
  }
  return settings;
}

/** The kernel's own two hours are too long: a dead link would hold its walsender and its log that long. */
function tcpSettings(facts: Facts): readonly WantedSetting[] {
  const wanted = [
    ['tcp_keepalives_idle', '60'],
    ['tcp_keepalives_interval', '10'],
    ['tcp_keepalives_count', '6'],
  ] as const;
  return wanted
    .filter(([name]) => isUnset(facts.server.settings.get(name)))
    .map(([name, value]) => ({
      name,
      value,
      cost: 'reload',
      why: 'the server notices within two minutes that a peer is gone',
    }));
}

function isUnset(setting: Setting | undefined): boolean {
  return setting !== undefined && Number(setting.reset) === 0;
}

function once(
  cost: 'none' | 'reload',
  text: { readonly why: string; readonly command: string },
): Statement {
  return statement('superuser', cost, { why: text.why, commands: [text.command] });
}
