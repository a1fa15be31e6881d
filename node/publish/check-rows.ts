/** The few questions that need a look at rows; none of them reads a value out. Each has a short time to answer. */
import type pg from 'pg';
import { ident, literal, qualified } from '../database/ident.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { error, type Finding, warning } from './finding.ts';
import type { Intent } from './intent.ts';

/** A btree entry may have 2,704 bytes; filter columns are held well below, for the key stands beside them. */
const wideBytes = 500;

export async function checkRows(
  client: pg.ClientBase,
  intent: Intent,
  decision: Decision,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const fresh = !intent.leaf && (await hasNoStream(client));
  for (const table of decision.tables) {
    if (intent.parent !== null) {
      findings.push(...(await wideFilterColumns(client, table)));
    }
    if (fresh) {
      findings.push(...(await ownRows(client, intent, table)));
    }
    if (intent.leaf && table.origin !== null) {
      findings.push(...(await foreignRows(client, intent, table)));
    }
  }
  return findings;
}

/** null: not known, for want of the right to look or of time. */
async function exists(client: pg.ClientBase, from: string): Promise<boolean | null> {
  try {
    await client.query('begin read only; set local statement_timeout = 5000');
    const { rows } = await client.query<{ found: boolean }>(
      `select exists (select ${from}) as found`,
    );
    return rows[0]?.found ?? null;
  } catch {
    return null;
  } finally {
    await client.query('rollback');
  }
}

async function hasNoStream(client: pg.ClientBase): Promise<boolean> {
  return (await exists(client, 'from tributary.stream')) !== true;
}

async function wideFilterColumns(
  client: pg.ClientBase,
  table: DecidedTable,
): Promise<readonly Finding[]> {
  const columns = table.identity.kind === 'index' ? (table.filter?.columns ?? []) : [];
  const findings: Finding[] = [];
  for (const column of columns) {
    const wide = await exists(
      client,
      `from ${qualified(table)} t where octet_length(t.${ident(column)}::text) > ${wideBytes}`,
    );
    if (wide) {
      findings.push(
        error('filter_column_wide', `${table.schema}.${table.name}`, {
          problem: `the filter column ${column} holds values over ${wideBytes} bytes: the identity index can not hold them, and the application's own statements fail`,
          advice: `Filter on a short column, or: alter table ${qualified(table)} add check (octet_length(${ident(column)}::text) <= ${wideBytes}) not valid;`,
        }),
      );
    }
  }
  return findings;
}

async function ownRows(
  client: pg.ClientBase,
  intent: Intent,
  table: DecidedTable,
): Promise<readonly Finding[]> {
  const added = table.facts.columns.every((column) => column.name !== table.origin);
  const where = added
    ? ''
    : ` t where t.${ident(table.origin ?? '')} = ${literal(intent.node.name)}`;
  const found = await exists(client, `from ${qualified(table)}${where}`);
  return found
    ? [
        warning('own_rows', `${table.schema}.${table.name}`, {
          problem: `rows stand here under the name of ${intent.node.name} itself before the first child streams: if they were entered at a child, that child may not change them here`,
          advice: `Delete those that a child holds; they arrive again with the child's name.`,
        }),
      ]
    : [];
}

async function foreignRows(
  client: pg.ClientBase,
  intent: Intent,
  table: DecidedTable,
): Promise<readonly Finding[]> {
  const origin = ident(table.origin ?? '');
  const found = await exists(
    client,
    `from ${qualified(table)} t where t.${origin} <> ${literal(intent.node.name)}`,
  );
  return found
    ? [
        warning('foreign_rows', `${table.schema}.${table.name}`, {
          problem: `rows here name another node in ${table.origin}: the parent refuses them`,
          advice: `update ${qualified(table)} set ${origin} = ${literal(intent.node.name)} where ${origin} <> ${literal(intent.node.name)}; if they were entered here.`,
        }),
      ]
    : [];
}
