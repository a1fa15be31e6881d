import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TributaryError } from '../errors.ts';
import { message, row } from '../testing/arbitrary-messages.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage, encodeRow, valuesOf } from './encode.ts';
import type { Relation } from './messages.ts';
import { RowChange } from './row-change.ts';
import type { RelationMap } from './row-change.ts';

function known(relations: readonly Relation[]): RelationMap {
  return new Map(relations.map((relation) => [relation.oid, relation]));
}

function isProtocolError(error: unknown): boolean {
  return error instanceof TributaryError && error.code === 'protocol';
}

/** Decodes whatever it is, in the middle of a larger buffer, as rows lie in memory. */
function decode(bytes: Buffer, relations: RelationMap): unknown {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const around = Buffer.concat([Buffer.alloc(3, 0x4e), length, bytes, Buffer.alloc(9, 0x6e)]);
  if (['I', 'U', 'D'].includes(String.fromCharCode(bytes[0] ?? 0))) {
    return RowChange.decode(around, 7, relations);
  }
  return decodeMessage(bytes, relations);
}

void test('a message decodes to what was encoded', () => {
  fc.assert(
    fc.property(message, (each) => {
      const relations = each.kind === 'truncate' ? known(each.relations) : known([]);
      assert.deepEqual(decodeMessage(encodeMessage(each), relations), each);
    }),
  );
});

void test('a row decodes to the values that were encoded, untouched', () => {
  fc.assert(
    fc.property(row, (each) => {
      const bytes = encodeRow(each);
      const change = decode(bytes, known([each.relation])) as RowChange;
      assert.equal(change.kind, each.kind);
      assert.equal(change.relation, each.relation);
      assert.deepEqual(change.message, bytes);
      assert.deepEqual(change.new ? valuesOf(change.new) : undefined, each.new);
      assert.deepEqual(change.old ? valuesOf(change.old) : undefined, each.old?.values);
      assert.equal(change.oldIsWhole, each.old?.letter === 'O');
      assert.equal(change.new?.hasUnchanged ?? false, each.new?.includes('unchanged') ?? false);
    }),
  );
});

void test('a value is copied and measured without a view of it', () => {
  fc.assert(
    fc.property(row, (each) => {
      const { new: tuple } = decode(encodeRow(each), known([each.relation])) as RowChange;
      for (let column = 0; column < (tuple?.count ?? 0); column += 1) {
        if (!tuple || tuple.kind(column) === 'unchanged') {
          assert.throws(() => tuple?.value(column), RangeError);
          continue;
        }
        const value = tuple.value(column);
        assert.equal(tuple.byteLength(column), value?.length ?? -1);
        const target = Buffer.alloc(50);
        const copied = tuple.copyValue(column, target, 4);
        assert.deepEqual(target.subarray(4, 4 + copied), value ?? Buffer.alloc(0));
      }
    }),
  );
});

void test('a message cut at any byte, or with a byte too many, is a protocol error', () => {
  fc.assert(
    fc.property(fc.oneof(message.map(encodeMessage), row.map(encodeRow)), (bytes) => {
      const nothing: RelationMap = known([]);
      for (let length = 0; length < bytes.length; length += 1) {
        assert.throws(() => decode(bytes.subarray(0, length), nothing), isProtocolError);
      }
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.of(0)]), nothing), isProtocolError);
    }),
    { numRuns: 60 },
  );
});

void test('a row of a known relation, cut at any byte, is a protocol error', () => {
  fc.assert(
    fc.property(row, (each) => {
      const bytes = encodeRow(each);
      const relations = known([each.relation]);
      for (let length = 0; length < bytes.length; length += 1) {
        assert.throws(() => decode(bytes.subarray(0, length), relations), isProtocolError);
      }
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.of(0)]), relations), isProtocolError);
    }),
    { numRuns: 60 },
  );
});

void test('random bytes are a protocol error or a message, never another failure', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('B', 'C', 'R', 'Y', 'O', 'M', 'T', 'I', 'U', 'D', 'x'),
      fc.uint8Array({ maxLength: 60 }),
      row,
      (letter, tail, { relation }) => {
        const all = { get: () => relation } as unknown as RelationMap;
        try {
          const decoded = decode(Buffer.concat([Buffer.from(letter), tail]), all);
          if (decoded instanceof RowChange) {
            assert.equal((decoded.new ?? decoded.old)?.count, relation.columns.length);
          }
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
