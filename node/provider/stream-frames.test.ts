import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { streamFrames } from './stream-frames.ts';

function frame(letter: string, content: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(letter, 'latin1');
  header.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([header, content]);
}

function xLogData(message: string): Buffer {
  return frame('d', Buffer.concat([Buffer.from('w'), Buffer.alloc(24), Buffer.from(message)]));
}

function keepalive(position: bigint, ask: boolean): Buffer {
  const content = Buffer.alloc(18);
  content.write('k');
  content.writeBigUInt64BE(position, 1);
  content.writeUInt8(ask ? 1 : 0, 17);
  return frame('d', content);
}

const sent = fc.oneof(
  fc.record({ kind: fc.constant('message'), text: fc.string({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant('keepalive'), text: fc.constantFrom('5 true', '7 false') }),
  fc.record({ kind: fc.constant('other'), text: fc.string({ maxLength: 20 }) }),
);

void test('whatever is cut where, each message comes out once, whole and in order', () => {
  fc.assert(
    fc.property(fc.array(sent), fc.array(fc.integer({ min: 1, max: 200 })), (messages, cuts) => {
      const seen: { kind: string; text: string }[] = [];
      const frames = streamFrames({
        message: (bytes, from, end) =>
          seen.push({ kind: 'message', text: bytes.toString('utf8', from, end) }),
        keepalive: (position, ask) => seen.push({ kind: 'keepalive', text: `${position} ${ask}` }),
        other: (bytes) => seen.push({ kind: 'other', text: bytes.toString('utf8', 5) }),
      });
      let left = Buffer.concat(
        messages.map(({ kind, text }) => {
          if (kind === 'message') {
            return xLogData(text);
          }
          const [position = '0', ask] = text.split(' ');
          return kind === 'keepalive'
            ? keepalive(BigInt(position), ask === 'true')
            : frame('N', Buffer.from(text));
        }),
      );
      for (let at = 0; left.length > 0; at += 1) {
        const size = cuts[at % Math.max(1, cuts.length)] ?? left.length;
        frames.push(Buffer.from(left.subarray(0, size)));
        left = left.subarray(size);
      }
      assert.deepEqual(
        seen,
        messages.map(({ kind, text }) => ({ kind, text })),
      );
    }),
  );
});

void test('what is cut short inside its frame is refused', () => {
  const frames = streamFrames({ message: () => {}, keepalive: () => {}, other: () => {} });
  for (const content of ['w', 'k', '', 'x'.repeat(40)]) {
    assert.throws(() => frames.push(frame('d', Buffer.from(content))), { code: 'protocol' });
  }
});
