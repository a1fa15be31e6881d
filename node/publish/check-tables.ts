/** What of the replicated tables would surprise later: keys, references, triggers, policies. Pure. */
import { ident, qualified } from '../database/ident.ts';
import type { ConstraintFacts, ForeignKeyFacts } from './catalogue-constraints.ts';
import type { Facts } from './catalogue.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { error, type Finding, info, warning } from './finding.ts';
import type { Intent } from './intent.ts';

export function checkTables(
  intent: Intent,
  facts: Facts,
  found: { readonly decision: Decision; readonly constraints: ConstraintFacts },
): readonly Finding[] {
  const { decision, constraints } = found;
  const warnings = decision.findings.filter((finding) => finding.severity !== 'error');
  const all = { intent, decision };
  return [
    ...warnings,
    ...constraints.foreignKeys.flatMap((key) => checkForeignKey(key, all)),
    ...constraints.deferrable.map(deferrable),
    ...decision.tables.flatMap((table) => [
      ...checkIdentity(intent, table),
      ...checkPolicies(table, facts),
      ...checkKey(table),
      ...(intent.leaf ? [] : checkTriggers(table)),
      ...checkShape(intent, table),
    ]),
  ];
}

interface All {
  readonly intent: Intent;
  readonly decision: Decision;
}

function checkForeignKey(key: ForeignKeyFacts, { intent, decision }: All): readonly Finding[] {
  const from = decision.tables.find((table) => `${table.schema}.${table.name}` === key.from);
  const to = decision.tables.find((table) => `${table.schema}.${table.name}` === key.to);
  const findings: Finding[] = [];
  if (from !== undefined && to === undefined) {
    findings.push(
      warning('reference_out_of_set', key.from, {
        problem: `${key.name} refers to ${key.to}, which does not travel: the parent may lack the row referred to`,
        advice: `Add ${key.to} to \`tables\`, or keep it the same everywhere by other means.`,
      }),
    );
  }
  if (from !== undefined && to !== undefined && to.filter !== null && from !== to) {
    findings.push(
      warning('reference_out_of_filter', key.from, {
        problem: `${key.name} refers to ${key.to}, of which only approved rows travel: an approved row may refer to one that stays`,
        advice: `See that ${key.to} is approved first, or leave \`approved\` out for it.`,
      }),
    );
  }
  if (from !== undefined && key.serial) {
    findings.push(
      warning('reference_by_serial', key.from, {
        problem: `${key.columns.join(', ')} refers to numbers that each node hands out by itself: the same number means another row at another node`,
        advice: `Refer to a uuid, or to a code that is the same in the whole country.`,
      }),
    );
  }
  if (from === undefined && !intent.leaf && 'cnd'.includes(key.onDelete)) {
    findings.push(
      warning('cascade_does_not_run', key.from, {
        problem: `${key.name} acts when a row of ${key.to} is deleted, but not when the deletion arrives from a child`,
        advice: `Clean ${key.from} by a job, or let an ENABLE ALWAYS trigger on ${key.to} do it.`,
      }),
    );
  }
  return findings;
}

function deferrable(one: { readonly table: string; readonly name: string }): Finding {
  return warning('deferrable_unique', one.table, {
    problem: `PostgreSQL does not enforce the deferrable constraint ${one.name} for rows that arrive; Tributary checks it itself, more slowly`,
    advice: `Make it anew: alter table ${one.table} drop constraint ${ident(one.name)}, add ... not deferrable;`,
  });
}

function checkIdentity(intent: Intent, table: DecidedTable): readonly Finding[] {
  if (intent.parent === null || table.identity.kind !== 'full') {
    return [];
  }
  const object = `${table.schema}.${table.name}`;
  const nullable = table.facts.columns.find(
    (column) => table.filter?.columns.includes(column.name) && !column.notNull,
  );
  return nullable === undefined
    ? [
        info('identity_full', object, {
          problem: 'identity full writes the whole old row at every update: about twice the log',
          advice: 'Leave `identity: full` out.',
        }),
      ]
    : [
        warning('filter_column_nullable', object, {
          problem: `the filter column ${nullable.name} may be null, so identity full is used: about twice the log, and a generated column or \`columns\` would make the application's updates fail`,
          advice: `alter table ${qualified(table)} alter column ${ident(nullable.name)} set not null; then run prepare.`,
        }),
      ];
}

function checkPolicies(table: DecidedTable, facts: Facts): readonly Finding[] {
  if (!table.facts.rowSecurity) {
    return [];
  }
  const writer = facts.server.roles.writer;
  const object = `${table.schema}.${table.name}`;
  return [
    warning('row_security', object, {
      problem:
        'the table has row security: the stream carries every approved row, whatever the policies say, and a role they bind can not apply',
      advice: `alter role ${ident(writer?.name ?? 'tributary_writer')} bypassrls; (superuser), or: alter table ${qualified(table)} disable row level security;`,
    }),
  ];
}

function checkKey(table: DecidedTable): readonly Finding[] {
  const serial = table.facts.columns.find(
    (column) =>
      table.key.includes(column.name) &&
      (column.identity !== '' || column.default?.startsWith('nextval(')),
  );
  return serial === undefined || table.key.length > 1
    ? []
    : [
        error('key_serial', `${table.schema}.${table.name}`, {
          problem: `the key ${serial.name} is numbered by each node for itself: two nodes give the same key to different rows`,
          advice: 'Use a uuid key, or add the column that names the node to `key`.',
        }),
      ];
}

/** Apply works as replica: ordinary triggers stay silent, the others see every change. */
function checkTriggers(table: DecidedTable): readonly Finding[] {
  const object = `${table.schema}.${table.name}`;
  return table.facts.triggers
    .filter((trigger) => !trigger.internal && !/^(tributary_|zzz_tributary_)/.test(trigger.name))
    .filter((trigger) => trigger.enabled !== 'D')
    .map((trigger) =>
      trigger.enabled === 'O'
        ? warning('trigger_does_not_fire', object, {
            problem: `the trigger ${trigger.name} does not fire for rows that arrive from a child`,
            advice: `If it has to: alter table ${qualified(table)} enable always trigger ${ident(trigger.name)};`,
          })
        : info('trigger_fires', object, {
            problem: `the trigger ${trigger.name} fires for every row that arrives; changes of one row are then not merged`,
            advice: 'Nothing, if that is meant.',
          }),
    );
}

function checkShape(intent: Intent, table: DecidedTable): readonly Finding[] {
  const object = `${table.schema}.${table.name}`;
  const findings: Finding[] = [];
  if (table.facts.inherited) {
    findings.push(
      warning('inheritance', object, {
        problem: 'tables inherit from it: they travel as tables of their own, or not at all',
        advice: 'Name each of them in `tables`, or use partitions.',
      }),
    );
  }
  if (
    table.addOrigin &&
    table.facts.columns.every((column) => column.name !== 'tributary_origin')
  ) {
    findings.push(
      info('column_to_be_added', object, {
        problem:
          "prepare adds the column tributary_origin: an application's COPY without a column list would fail",
        advice: 'Name the columns in such a COPY.',
      }),
    );
  }
  if (intent.leaf && intent.parent !== null && table.origin !== null) {
    const column = table.facts.columns.find((candidate) => candidate.name === table.origin);
    if (column?.default === null) {
      findings.push(
        info('origin_without_default', object, {
          problem: `every row entered here must name this node in ${table.origin}, and the column has no default`,
          advice: `alter table ${qualified(table)} alter column ${ident(table.origin)} set default '${intent.node.name}';`,
        }),
      );
    }
  }
  return findings;
}
