/** Random pgoutput messages and rows for property tests. */
import fc from 'fast-check';
import type { Row, Value } from '../pgoutput/encode.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Message, Relation } from '../pgoutput/messages.ts';

/** With the ordinary prototype, so that a decoded message can equal it. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .filter((text) => !text.includes('\0') && text.isWellFormed());
const oid = fc.integer({ min: 1, max: 0xffff_ffff });
export const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => value as Lsn);
const time = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

export const relation: fc.Arbitrary<Relation> = record({
  kind: fc.constant('relation' as const),
  oid,
  schema: fc.oneof(fc.constant('pg_catalog'), name),
  name,
  replicaIdentity: fc.constantFrom('d', 'n', 'f', 'i'),
  columns: fc.array(
    record({
      name,
      identity: fc.boolean(),
      typeOid: oid,
      typeModifier: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    }),
    { maxLength: 5 },
  ),
});

export const message: fc.Arbitrary<Message> = fc.oneof(
  record({
    kind: fc.constant('begin' as const),
    finalLsn: lsn,
    commitTime: time,
    xid: oid,
  }),
  record({
    kind: fc.constant('commit' as const),
    commitLsn: lsn,
    endLsn: lsn,
    commitTime: time,
  }),
  relation,
  record({ kind: fc.constant('type' as const), oid, schema: name, name }),
  record({ kind: fc.constant('origin' as const), lsn, name }),
  record({
    kind: fc.constant('message' as const),
    transactional: fc.boolean(),
    lsn,
    prefix: name,
    content: bytes,
  }),
  record({
    kind: fc.constant('truncate' as const),
    relations: fc.uniqueArray(relation, { maxLength: 3, selector: (each) => each.oid }),
    cascade: fc.boolean(),
    restartIdentity: fc.boolean(),
  }),
);

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.constant('unchanged' as const),
  bytes.map((text) => ({ text })),
  bytes.map((binary) => ({ binary })),
);

/** A row of a relation of its own. */
export const row: fc.Arbitrary<Row> = relation.chain((relation) => {
  const count = relation.columns.length;
  const values = fc.array(value, { minLength: count, maxLength: count });
  const old = record({ letter: fc.constantFrom('K' as const, 'O' as const), values });
  return fc.oneof(
    values.map((fresh): Row => ({ kind: 'insert', relation, new: fresh })),
    values.map((fresh): Row => ({ kind: 'update', relation, new: fresh })),
    fc.tuple(old, values).map(([before, fresh]): Row => ({
      kind: 'update',
      relation,
      old: before,
      new: fresh,
    })),
    old.map((before): Row => ({ kind: 'delete', relation, old: before })),
  );
});
