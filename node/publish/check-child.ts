/** A child seen from its parent: whether a stream will open, and whether its tables fit those here. Pure. */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { ColumnFacts } from './catalogue-tables.ts';
import { checkRelease } from './check-server.ts';
import type { ChildColumn, ChildFacts } from './child-facts.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { error, type Finding, warning } from './finding.ts';

const skewMs = 5000;

export function checkChild(
  name: string,
  child: ChildFacts,
  here: { readonly facts: Facts; readonly decision: Decision },
): readonly Finding[] {
  const findings = [...checkStream(name, child), ...checkPlace(name, child, here.facts)];
  if (child.node === null) {
    findings.push(
      error('child_not_prepared', name, {
        problem: 'the child is not prepared, or its reading role may not see it',
        advice: 'Run `tributary prepare` at the child.',
      }),
    );
    return findings;
  }
  if (child.node !== name) {
    findings.push(
      error('child_name_differs', name, {
        problem: `the database at \`provider\` belongs to ${child.node}`,
        advice: 'Correct `provider` of the child.',
      }),
    );
  }
  return [...findings, ...here.decision.tables.flatMap((table) => checkTable(name, child, table))];
}

function checkStream(name: string, child: ChildFacts): Finding[] {
  const findings: Finding[] = [];
  if (child.walLevel !== 'logical') {
    findings.push(
      error('child_wal_level', name, {
        problem: `wal_level is ${child.walLevel} at the child: nothing can be streamed`,
        advice: `At the child: alter system set wal_level = 'logical'; then restart its PostgreSQL.`,
      }),
    );
  }
  if (child.walsenderRefused !== null) {
    findings.push(
      error('child_refuses_stream', name, {
        problem: `the login works, but not for replication (SQLSTATE ${child.walsenderRefused})`,
        advice:
          'Run the first script of `tributary prepare --plan` at the child: its reading role needs REPLICATION, and a walsender has to be free.',
      }),
    );
  }
  if (child.pooled) {
    findings.push(pooled(`provider of ${name}`));
  }
  return findings;
}

export function pooled(object: string): Finding {
  return error('pooler', object, {
    problem: 'a pooler stands between: advisory locks, settings and walsenders do not survive it',
    advice: 'Write host and port of PostgreSQL itself.',
  });
}

function checkPlace(name: string, child: ChildFacts, here: Facts): readonly Finding[] {
  const findings = checkRelease(child.version).map((finding) => ({ ...finding, object: name }));
  if (Math.abs(child.clockSkewMs) > skewMs) {
    findings.push(
      warning('clock_skew', name, {
        problem: `its clock is ${Math.round(child.clockSkewMs / 1000)} s off ours: ages shown are wrong by as much`,
        advice: 'Let both servers take their time from the network (chrony or systemd-timesyncd).',
      }),
    );
  }
  if (child.encoding !== here.server.encoding) {
    findings.push(
      warning('encoding', name, {
        problem: `the child is encoded in ${child.encoding}, this database in ${here.server.encoding}: some characters may not fit`,
        advice: 'Use UTF8 at both.',
      }),
    );
  }
  return findings;
}

function checkTable(name: string, child: ChildFacts, table: DecidedTable): readonly Finding[] {
  const path = `${table.schema}.${table.name}`;
  const sent = child.tables.get(path);
  if (sent === undefined) {
    return [
      error('table_not_published', path, {
        problem: `${name} does not publish it`,
        advice: `Run \`tributary prepare\` at ${name} with the same topology.`,
      }),
    ];
  }
  const findings = sent.flatMap((column) => checkColumn(name, table, column));
  for (const column of table.facts.columns) {
    if (isImpossible(column, sent, table)) {
      findings.push(
        error('column_not_sent', path, {
          problem: `${column.name} is not null, has no default and is not sent by ${name}: no row can be stored`,
          advice: `alter table ${qualified(table)} alter column ${ident(column.name)} drop not null; or give it a default.`,
        }),
      );
    }
  }
  return findings;
}

function checkColumn(name: string, table: DecidedTable, sent: ChildColumn): readonly Finding[] {
  const path = `${table.schema}.${table.name}`;
  const column = table.facts.columns.find((candidate) => candidate.name === sent.name);
  const needed = table.key.includes(sent.name) || table.filter?.columns.includes(sent.name);
  if (column === undefined) {
    const text = {
      problem: `${sent.name} is sent by ${name} and does not exist here`,
      advice: `alter table ${qualified(table)} add column ${ident(sent.name)} ${sent.type};`,
    };
    const own = sent.name === 'tributary_origin';
    return own ? [] : [(needed ? error : warning)('column_set_aside', path, text)];
  }
  if (column.type === sent.type) {
    return [];
  }
  const same = column.bareType === sent.bareType;
  return [
    warning(same ? 'column_length_differs' : 'column_type_differs', path, {
      problem: `${sent.name} is ${sent.type} at ${name} and ${column.type} here: a row whose value does not fit is parked`,
      advice: `alter table ${qualified(table)} alter column ${ident(sent.name)} type ${sent.type};`,
    }),
  ];
}

function isImpossible(
  column: ColumnFacts,
  sent: readonly ChildColumn[],
  table: DecidedTable,
): boolean {
  return (
    column.notNull &&
    column.default === null &&
    column.identity === '' &&
    column.generated === '' &&
    column.name !== table.origin &&
    sent.every((other) => other.name !== column.name)
  );
}
