/** Whether the two plain roles have what they need, and no more than is wise. Pure. */
import { ident } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { RoleFacts } from './catalogue-server.ts';
import { error, type Finding, warning } from './finding.ts';
import type { Intent } from './intent.ts';

export function checkRoles(intent: Intent, facts: Facts): readonly Finding[] {
  const { reader, writer } = intent.node.roles;
  return [
    ...checkWriter(writer, facts.server.roles.writer),
    ...(intent.parent === null ? [] : checkReader(reader, facts.server.roles.reader)),
    ...(intent.parent === null ? [] : checkDropper(reader, facts)),
    ...checkLogin(writer, facts),
  ];
}

function checkWriter(name: string, role: RoleFacts | null): readonly Finding[] {
  if (role === null) {
    return [missing(name, `create role ${ident(name)} login; and set its password by \\password`)];
  }
  const findings = [...tooMuch(role), ...checkMonitor(role)];
  if (!role.setReplicationRole) {
    findings.push(
      error('right_missing', name, {
        problem:
          'it may not work as replica: triggers and foreign keys of the application would act a second time',
        advice: `As superuser: grant set on parameter session_replication_role to ${ident(name)};`,
      }),
    );
  }
  if (!role.signal) {
    findings.push(
      warning('right_missing', name, {
        problem: 'it may not end a walsender that is stuck, and such a one can fill the disk',
        advice: `As superuser: grant pg_signal_backend to ${ident(name)};`,
      }),
    );
  }
  return findings;
}

function checkReader(name: string, role: RoleFacts | null): readonly Finding[] {
  if (role === null) {
    return [
      missing(
        name,
        `create role ${ident(name)} login replication; and set its password by \\password`,
      ),
    ];
  }
  const findings = [...tooMuch(role), ...seesStatements(role)];
  if (!role.replication && !role.superuser) {
    findings.push(
      error('right_missing', name, {
        problem: 'it lacks REPLICATION: the parent can not stream',
        advice: `As superuser: alter role ${ident(name)} replication;`,
      }),
    );
  }
  return findings;
}

/** A warning: the slot is named by status, and a person drops it. */
function checkDropper(reader: string, facts: Facts): readonly Finding[] {
  const owner = facts.definers.get('drop_unused_slot');
  return owner === undefined || owner === reader
    ? []
    : [
        warning('right_missing', reader, {
          problem: 'a slot that nobody uses any more is not dropped by itself, and holds log',
          advice: `As superuser: alter function tributary.drop_unused_slot(text) owner to ${ident(reader)};`,
        }),
      ];
}

function missing(name: string, advice: string): Finding {
  return error('role_missing', name, {
    problem: 'the role does not exist',
    advice: `As superuser: ${advice}.`,
  });
}

function tooMuch(role: RoleFacts): Finding[] {
  return role.superuser
    ? [
        warning('role_superuser', role.name, {
          problem: 'the role is a superuser; a mistake or an intruder may do anything with it',
          advice: `alter role ${ident(role.name)} nosuperuser; then run prepare.`,
        }),
      ]
    : [];
}

/** pg_stat_activity shows a member of pg_monitor what every session runs. */
function seesStatements(role: RoleFacts): readonly Finding[] {
  return role.monitor && !role.superuser
    ? [
        warning('right_too_wide', role.name, {
          problem:
            'it may monitor: the parent can read the statements of every session, drafts included',
          advice: `As superuser: revoke pg_monitor from ${ident(role.name)};`,
        }),
      ]
    : [];
}

function checkMonitor(role: RoleFacts): readonly Finding[] {
  return role.monitor
    ? []
    : [
        warning('right_missing', role.name, {
          problem:
            'it can not see positions, slots and the log directory: status shows them as unknown',
          advice: `As superuser: grant pg_monitor to ${ident(role.name)};`,
        }),
      ];
}

function checkLogin(writer: string, facts: Facts): readonly Finding[] {
  return facts.server.user === writer
    ? []
    : [
        warning('login_differs', facts.server.user, {
          problem: `\`database\` logs in as ${facts.server.user}, and rights are given to ${writer}`,
          advice: `Write user ${writer} in \`database\`, or \`roles: {writer: ${facts.server.user}}\`.`,
        }),
      ];
}
