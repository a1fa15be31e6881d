import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Relation } from '../pgoutput/messages.ts';
import { relationOf } from '../testing/changes.ts';
import { params } from './binding.ts';
import { isDrift, type Layout, layoutOf } from './layout.ts';
import { deleteSql, insertSql, truncateSql, updateSql, upsertSql } from './statements.ts';
import type { Target, TargetColumn } from './target.ts';

const column = (name: string, more: Partial<TargetColumn> = {}): TargetColumn => ({
  name,
  type: 'text',
  typeOid: 25,
  baseTypeOid: 25,
  modifier: -1,
  notNull: false,
  hasDefault: false,
  generated: false,
  identity: '',
  ...more,
});

const target: Target = {
  schema: 'public',
  name: 'Odd Name',
  partitioned: false,
  columns: new Map(
    [
      column('id', { type: 'uuid' }),
      column('serial', { type: 'integer', identity: 'a', notNull: true, hasDefault: true }),
      column('twice', { generated: true }),
      column('note'),
      column('tributary_origin', { notNull: true, hasDefault: true }),
    ].map((each) => [each.name, each]),
  ),
  key: ['id'],
  uniques: [{ name: 'odd_pkey', columns: ['id'] }],
  keyIsUnique: true,
  origin: 'tributary_origin',
  stepwise: false,
  ruled: false,
  deferrable: [],
};

function layout(relation: Relation, providerIsLeaf = true): Layout {
  const made = layoutOf({
    relation,
    target,
    provider: 'a',
    providerIsLeaf,
    originColumn: null,
    filterColumns: [],
  });
  assert.ok(!isDrift(made));
  return made;
}

const sent = layout(relationOf(['id', 'serial', 'twice', 'note', 'more']));

void test('rows of a leaf are stamped; generated columns are never named; unknown ones are set aside', () => {
  assert.equal(
    insertSql(sent, params(sent.columns, 'text')),
    'insert into "public"."Odd Name" as t ("id", "serial", "note", "tributary_origin") overriding system value select s.c1::uuid, s.c2::integer, s.c3, $4::text::text from unnest($1::text[], $2::text[], $3::text[]) s(c1, c2, c3)',
  );
  assert.deepEqual(
    sent.setAside.map(({ name }) => name),
    ['more'],
  );
});

void test('an update touches rows of the subtree only and leaves identity columns out', () => {
  const [key, ...values] = params(sent.columns, 'text');
  assert.ok(key);
  assert.equal(
    updateSql(sent, { key: [key], values }),
    'update "public"."Odd Name" t set "note" = s.c3 from unnest($1::text[], $2::text[], $3::text[]) s(c1, c2, c3) where t."id" = s.c1::uuid and t."serial" = s.c2::integer and t."tributary_origin" = any ($4::text[])',
  );
});

void test('deletes and truncates have regard to the origin', () => {
  assert.equal(
    deleteSql(sent, params(sent.key, 'binary')),
    'delete from "public"."Odd Name" t using unnest($1::uuid[]) s(c1) where t."id" = s.c1 and t."tributary_origin" = any ($2::text[])',
  );
  assert.match(
    truncateSql(sent),
    /^delete from "public"\."Odd Name" t where t\."tributary_origin" = any \(\$1::text\[\]\) and not exists \(.*p\.reason = 'rewound'/,
  );
});

void test('an upsert overwrites rows of the subtree only', () => {
  assert.match(
    upsertSql(sent, params(sent.columns, 'text')),
    /on conflict \("id"\) do update set "note" = excluded\."note" where t\."tributary_origin" = any \(\$5::text\[\]\)/,
  );
});

void test('a middle node sends the origin of each row, and must', () => {
  const whole = layout(relationOf(['id', 'note', 'tributary_origin']), false);
  assert.deepEqual(whole.origin.kind, 'sent');
  assert.ok(whole.columns.some((each) => each.column.name === 'tributary_origin'));
  const drift = layoutOf({
    relation: relationOf(['id', 'note']),
    target,
    provider: 'a',
    providerIsLeaf: false,
    originColumn: null,
    filterColumns: [],
  });
  assert.deepEqual(drift, { reason: 'origin_column_missing', column: 'tributary_origin' });
});

void test('what makes rows impossible is drift', () => {
  assert.deepEqual(reasonOf(relationOf(['note'])), ['key_column_missing', 'id']);
  assert.deepEqual(reasonOf(relationOf(['note', 'id'])), ['identity', 'id']);
  assert.deepEqual(reasonOf(relationOf(['id', 'note']), ['status']), [
    'filter_column_missing',
    'status',
  ]);
  assert.equal(reasonOf(relationOf(['id', 'note'])), null);
});

function reasonOf(relation: Relation, filterColumns: readonly string[] = []): unknown {
  const made = layoutOf({
    relation,
    target,
    provider: 'a',
    providerIsLeaf: true,
    originColumn: null,
    filterColumns,
  });
  return isDrift(made) ? [made.reason, made.column] : null;
}
