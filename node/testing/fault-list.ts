/** The faults `npm run faults` puts into the source one by one, each with the test that must turn red. */
import type { Fault } from './fault.ts';

const suites = 'node/testing/suites';

export const faults: readonly Fault[] = [
  {
    name: 'the position moves whoever moves it',
    breaks: 'a process that lost its turn changes nothing any more',
    edits: [
      {
        file: 'node/apply/open-applier.ts',
        find: 'where provider = $1 and epoch = $2::bigint and position = $3::pg_lsn',
        replace: 'where provider = $1 and $2::bigint is not null and $3::pg_lsn is not null',
      },
    ],
    test: {
      file: `${suites}/fence.test.ts`,
      title: 'a process that stood still in an open transaction finds itself fenced',
    },
  },
  {
    name: 'the witness is not asked',
    breaks: 'no silent loss: a clone that wrote on is not taken for the server it was copied from',
    edits: [
      {
        file: 'node/provider/proof.ts',
        find: '    ...witnessDoubts(known, facts),\n',
        replace: '',
      },
    ],
    test: { file: `${suites}/clone.test.ts`, title: 'a clone that wrote on is refused' },
  },
  {
    name: 'a publication made again counts as the one that was known',
    breaks: 'no silent gap: what was committed while it was missing is never sent',
    edits: [
      {
        file: 'node/provider/proof.ts',
        find: 'publication.oid === known.publicationOid && publication.nonce === known.publicationNonce',
        replace: 'publication.oid > 0',
      },
    ],
    test: { file: `${suites}/clone.test.ts`, title: 'each doubt is named' },
  },
  {
    name: 'a status is sent only after a part was applied',
    breaks: 'feedback does not depend on apply',
    edits: [
      {
        file: 'node/provider/direct-stream.ts',
        find: 'if (now - this.#statusAt >= this.#statusEveryMs) {',
        replace: 'if (now - this.#statusAt >= Infinity) {',
      },
      {
        file: 'node/provider/direct-stream.ts',
        find: '    if (ask) {\n      this.#sendStatus(false);',
        replace: '    if (ask && this.#closing) {\n      this.#sendStatus(false);',
      },
    ],
    test: {
      file: `${suites}/confirm.test.ts`,
      title: 'a stream outlives an apply that is blocked',
    },
  },
  {
    name: 'one byte more than durable is confirmed',
    breaks: 'nothing is lost: a commit record may begin exactly where the last one ended',
    edits: [
      {
        file: 'node/provider/feedback.ts',
        find: 'status.writeBigUInt64BE(positions.confirmed, 9);',
        replace: 'status.writeBigUInt64BE(positions.confirmed + 1n, 9);',
      },
    ],
    test: {
      file: `${suites}/confirm.test.ts`,
      title: 'a commit record that begins where the confirmed one ends',
    },
  },
  {
    name: 'a socket may be left unread for ever',
    breaks:
      "an outage never fills a disk: the provider's checkpointer waits for a blocked walsender",
    edits: [
      {
        file: 'node/provider/direct-stream.ts',
        find: 'const unreadLimitMs = 10_000;',
        replace: 'const unreadLimitMs = 10_000_000;',
      },
    ],
    test: {
      file: `${suites}/log-bound.test.ts`,
      title: "a locked subscriber does not hold up its provider's checkpointer",
    },
  },
  {
    name: 'the node beside a provider leaves stuck walsenders alone',
    breaks: 'an outage never fills a disk, also when the subscriber stands still',
    edits: [
      {
        file: 'node/provider/slot-watch.ts',
        find: 'if (stuck && pid !== null) {',
        replace: 'if (stuck && pid === 0) {',
      },
    ],
    test: {
      file: `${suites}/log-bound.test.ts`,
      title: 'the node beside a provider ends the walsender',
    },
  },
  {
    name: 'a copy without its first rows counts as complete',
    breaks: 'status tells the truth: complete only where nothing is missing',
    edits: [
      {
        file: 'node/supervise/stream-attempt.ts',
        find: "slot.tablesWithRows.length > 0 ? 'first_copy' : null",
        replace: 'null',
      },
    ],
    test: {
      file: `${suites}/freshness.test.ts`,
      title: 'freshness tells age and completeness of every origin',
    },
  },
  {
    name: 'lag is the log not yet applied, as of the last message',
    breaks: 'status tells the truth: a cut link shows as growing age, never as zero',
    edits: [
      {
        file: 'migrations/000001.sql',
        find: 'clock_timestamp() - b.at as age',
        replace: "case when b.at is not null then interval '0' end as age",
      },
    ],
    test: {
      file: `${suites}/freshness.test.ts`,
      title: 'freshness tells age and completeness of every origin',
    },
  },
];
