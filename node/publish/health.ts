/** Whether what prepare made still stands. Upgrade tools drop what they do not know. Pure. */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { LeafFacts } from './catalogue-tables.ts';
import { decide, type DecidedTable, type Decision } from './decide.ts';
import { error, type Finding, warning } from './finding.ts';
import type { Intent } from './intent.ts';
import { planCarry } from './plan-carry.ts';
import { planGrants } from './plan-grants.ts';
import { identityFits, indexFor } from './plan-identity.ts';
import { planOrigin } from './plan-origin.ts';
import { planPublication } from './plan-publication.ts';
import { publishedBefore } from './published-before.ts';
import type { Statement } from './statement.ts';

const cure = 'Run `tributary prepare --admin URL`.';

/** Nothing to say while the database is not prepared at all: `run` says that itself. */
export function healthOf(intent: Intent, facts: Facts): readonly Finding[] {
  if (facts.node === null) {
    return [];
  }
  const decision = decide(intent, facts);
  const published = intent.parent === null ? [] : publishingHealth(decision, facts);
  return [
    ...published,
    ...decision.findings.filter((finding) => finding.severity === 'error'),
    ...planGrants(intent, decision, facts).statements.map((one) =>
      lost('right_missing', one, 'a right that the node works with was taken away'),
    ),
    ...planOrigin(intent, decision, facts).statements.map((one) =>
      lost(
        'guard_missing',
        one,
        'what keeps rows of other nodes from local changes is gone or changed',
      ),
    ),
  ];
}

function publishingHealth(decision: Decision, facts: Facts): readonly Finding[] {
  return [
    ...decision.tables.flatMap((table) => identityHealth(table, facts)),
    ...publicationHealth(decision, facts),
    ...planCarry(decision, facts).statements.map((one) =>
      lost('carry_missing', one, 'large values that an approval does not touch will not travel'),
    ),
  ];
}

function identityHealth(table: DecidedTable, facts: Facts): readonly Finding[] {
  const published = publishedBefore(facts, table) !== null;
  return table.facts.leaves
    .filter((leaf) => !identityFits(table, leaf))
    .map((leaf) =>
      published
        ? error('identity_lost', `${leaf.schema}.${leaf.name}`, {
            problem:
              "the replica identity is lost: the application's UPDATE and DELETE of this table fail now",
            advice: mending(table, leaf),
          })
        : warning('identity_missing', `${leaf.schema}.${leaf.name}`, {
            problem: 'the replica identity is not the one that publishing needs',
            advice: cure,
          }),
    );
}

/** What a person at the place types in psql, as the owner of the table. */
function mending(table: DecidedTable, leaf: LeafFacts): string {
  const on = qualified(leaf);
  if (table.identity.kind === 'full') {
    return `alter table ${on} replica identity full;`;
  }
  if (table.identity.kind === 'default') {
    return leaf.indexes.some((index) => index.primary)
      ? `alter table ${on} replica identity default;`
      : `alter table ${on} add primary key (${table.key.map(ident).join(', ')}), replica identity default;`;
  }
  const name = indexFor(table, leaf) ?? '';
  const alter = `alter table ${on} replica identity using index ${ident(name)};`;
  if (leaf.indexes.some((index) => index.name === name && index.valid)) {
    return alter;
  }
  const columns = table.identity.columns.map(ident).join(', ');
  return `create unique index ${ident(name)} on ${on} (${columns}); ${alter}`;
}

function publicationHealth(decision: Decision, facts: Facts): readonly Finding[] {
  if (facts.publication === null) {
    return [
      error('publication_missing', 'tributary_up', {
        problem:
          'the publication is gone: nothing leaves for the parent, and PostgreSQL 18 passes over changes without a word',
        advice: `${cure} The parent will not trust the stream before its rows are compared.`,
      }),
    ];
  }
  return planPublication(decision, facts, []).statements.map((one) =>
    lost(
      'publication_changed',
      one,
      'the publication is not as prepare made it, or not as the topology wants it',
    ),
  );
}

function lost(code: string, one: Statement, problem: string): Finding {
  return error(code, one.object, { problem, advice: cure });
}
