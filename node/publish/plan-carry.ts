/**
 * The carry trigger: when an update makes a row enter the filter, its unchanged out-of-line values would stay behind,
 * for the row leaves as an INSERT made of what the update wrote. Rewriting such values makes the update write them.
 * ENABLE ALWAYS, so that it also works under apply; named to run last among the BEFORE triggers. Pure.
 */
import { createHash } from 'node:crypto';
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import { type ColumnFacts, triggerFound } from './catalogue-tables.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { filterOver } from './filter-sql.ts';
import { join, keep, type Planned } from './planned.ts';
import { remember, stands } from './prepared.ts';
import { statement } from './statement.ts';

export const carryTrigger = 'zzz_tributary_carry';

export function planCarry(decision: Decision, facts: Facts): Planned {
  return join(
    decision.tables.filter((table) => table.carry.length > 0).map((table) => planOne(table, facts)),
  );
}

function planOne(table: DecidedTable, facts: Facts): Planned {
  const on = qualified(table);
  const object = `${carryTrigger} on ${table.schema}.${table.name}`;
  const keeps = [keep('trigger', object)];
  const name = functionName(table);
  const body = carryFunction(name, table.carry);
  const trigger = createTrigger(table, name);
  const wanted = { kind: 'trigger', object, wanted: `${body}; ${trigger}` } as const;
  const current = table.facts.triggers.find((candidate) => candidate.name === carryTrigger);
  if (stands(facts, { ...wanted, current: current?.definition ?? null })) {
    return { statements: [], keeps };
  }
  const drop = `drop trigger if exists ${carryTrigger} on ${on}`;
  const commands = [
    body,
    ...(current === undefined ? [] : [drop]),
    trigger,
    `alter table ${on} enable always trigger ${carryTrigger}`,
    remember({
      ...wanted,
      found: triggerFound(on, carryTrigger),
      undo: `${drop}; drop function if exists ${name}()`,
    }),
  ];
  const why = 'large values that an approval does not touch travel with it';
  return {
    statements: [statement('owner', 'lock', { why, commands, object: `trigger ${object}` })],
    keeps,
  };
}

function createTrigger(table: DecidedTable, name: string): string {
  const filter = table.filter;
  if (filter === null) {
    throw new Error('a carry trigger without a filter');
  }
  const before = filterOver('old', filter.expression);
  const after = filterOver('new', filter.expression);
  return `create trigger ${carryTrigger} before update on ${qualified(table)} for each row when ((${before}) is not true and (${after}) is true) execute function ${name}()`;
}

function functionName(table: DecidedTable): string {
  const path = `${table.schema}.${table.name}`;
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 8);
  return `tributary.carry_${table.name.replaceAll(/[^a-z0-9_]/g, '').slice(0, 40)}_${hash}`;
}

/** Settings under which every value survives the way through its text, whatever the session's own are. */
const exact = [
  'search_path = pg_catalog, pg_temp',
  "datestyle = 'ISO, YMD'",
  "intervalstyle = 'postgres'",
  "timezone = 'UTC'",
  'extra_float_digits = 1',
  "bytea_output = 'hex'",
  "xmloption = 'content'",
  "lc_monetary = 'C'",
];

/** Failures that are gone when the statement is repeated: conflicts, resources, locks, cancellation, the system. */
const passing = '^(40|53|55|57|58)';

/**
 * Each column by itself, and its failure passed over: the application's upgrade may have dropped, renamed or changed it
 * since prepare, and its approvals must go on. Should the value not leave, the key is parked with value_missing. What
 * passes is the application's to repeat, as if its own statement had met it: passed over, a lock that was not given
 * would leave the value behind.
 */
function carryFunction(name: string, columns: readonly ColumnFacts[]): string {
  const lines = columns.map((column) => {
    const value = `new.${ident(column.name)}`;
    return `  begin
    if ${value} is not null then
      ${value} := ${rewritten(value, column)};
    end if;
  exception when others then
    if sqlstate ~ '${passing}' then
      raise;
    end if;
  end;`;
  });
  return `create or replace function ${name}() returns trigger
language plpgsql
${exact.map((setting) => `set ${setting}`).join('\n')}
as $carry$
begin
${lines.join('\n')}
  return new;
end
$carry$`;
}

const byteaOid = 17;
const textOid = 25;
const varcharOid = 1043;

/** A new datum of the same value; the concatenation is much cheaper than the way through text. */
function rewritten(value: string, column: ColumnFacts): string {
  if (column.typeOid === textOid || column.typeOid === varcharOid) {
    return `${value} || ''`;
  }
  if (column.typeOid === byteaOid) {
    return `${value} || ''::bytea`;
  }
  // To a domain over text, or to citext, both casts change nothing but the name of the type: the same datum.
  return `(${value}::text || '')::${column.bareType}`;
}
