/** The faults `npm run faults` puts into the source one by one, each with the test that must turn red. */
import type { Fault } from './fault.ts';

const lost = 'nothing lost, nothing twice';
const whole = 'only approved rows leave, and whole';
const siblings = 'a child cannot hurt its siblings';
const gap = 'no silent gap, and no silent loss';
const truth = 'status tells the truth';
const faithful = 'faithful to the last bit: every type, every order';
const suites = 'node/testing/suites';

export const faults: readonly Fault[] = [
  {
    name: 'position committed apart from the rows',
    breaks: lost,
    edits: [
      {
        file: 'node/apply/open-applier.ts',
        find: '    let begun = false;\n    let replays = 0;',
        replace:
          '    await this.#end.commit(part.position, { begun: false, carriesCommit: false, publicationChanged: false, completeness: [] });\n    this.#end.reached(part.position);\n    let begun = false;\n    let replays = 0;',
      },
      {
        file: 'node/apply/open-applier.ts',
        find: 'slice.filter(({ endLsn }) => endLsn > this.#end.position)',
        replace: 'slice',
      },
    ],
    test: {
      file: 'node/apply/failures.test.ts',
      title: 'nothing of a part that fails as a whole is here, its position neither',
    },
  },
  {
    name: 'received confirmed instead of applied',
    breaks: lost,
    edits: [
      {
        file: 'node/provider/feedback.ts',
        find: 'status.writeBigUInt64BE(positions.confirmed, 9);',
        replace: 'status.writeBigUInt64BE(written, 9);',
      },
    ],
    test: {
      file: 'node/provider/contract.test.ts',
      title: 'a restart resumes behind what was confirmed and repeats what was not',
    },
  },
  {
    name: 'end of commit plus one',
    breaks: lost,
    edits: [
      {
        file: 'node/provider/feedback.ts',
        find: 'status.writeBigUInt64BE(positions.confirmed, 9);',
        replace: 'status.writeBigUInt64BE(positions.confirmed + 1n, 9);',
      },
    ],
    test: {
      file: 'node/testing/suites/confirm.test.ts',
      title: 'a commit record that begins where the confirmed one ends is not skipped by a restart',
    },
  },
  {
    name: 'fence removed from the position update',
    breaks: lost,
    edits: [
      {
        file: 'node/apply/commit-position.ts',
        find: 'where provider = $1 and epoch = $2::bigint and position = $3::pg_lsn',
        replace: 'where provider = $1 and $2::bigint is not null and $3::pg_lsn is not null',
      },
    ],
    test: {
      file: 'node/apply/open-applier.test.ts',
      title: 'a process that another one took over from is fenced',
    },
  },
  {
    name: 'out-of-line values not carried: no trigger',
    breaks: whole,
    edits: [
      {
        file: 'node/publish/plan-carry.ts',
        find: 'table.carry.length > 0)',
        replace: 'table.carry.length > 999)',
      },
    ],
    test: {
      file: 'node/testing/suites/transitions.test.ts',
      title: 'only approved rows leave, and whole, at every level',
    },
  },
  {
    name: 'an out-of-line value that did not travel is written as null',
    breaks: whole,
    edits: [
      {
        file: 'node/apply/set-run.ts',
        find: 'if (collapsed.inserts.some(({ tuple }) => lacksValue(tuple, layout))) {',
        replace:
          'if (collapsed.inserts.some(({ tuple }) => tuple.count < 0 && lacksValue(tuple, layout))) {',
      },
    ],
    test: {
      file: 'node/apply/failures.test.ts',
      title:
        'a row that enters the filter without its out-of-line value is never written with null',
    },
  },
  {
    name: 'a lock that is not given leaves a large value behind',
    breaks: whole,
    edits: [
      {
        file: 'node/publish/plan-carry.ts',
        find: "const passing = '^(40|53|55|57|58)';",
        replace: "const passing = '^none';",
      },
    ],
    test: {
      file: 'node/publish/application.test.ts',
      title: 'a lock that is not given while a value is carried',
    },
  },
  {
    name: 'filter ignored by the publication',
    breaks: whole,
    edits: [
      {
        file: 'node/publish/plan-publication.ts',
        find: "table.filter === null ? '' : ` where (${table.filter.sql})`",
        replace: "''",
      },
    ],
    test: {
      file: 'node/testing/suites/levels.test.ts',
      title: 'a row entered at a region leaves it only when approved, and whole',
    },
  },
  {
    name: 'delete without regard to origin',
    breaks: siblings,
    edits: [
      {
        file: 'node/apply/statements.ts',
        find: '${source(key, counting)} where ${match(key)} and ${guard(layout, key.length + 1)}${also(counting)}`',
        replace:
          '${source(key, counting)} where ${match(key)} and $${key.length + 1}::text[] is not null${also(counting)}`',
      },
    ],
    test: {
      file: 'node/apply/origins.test.ts',
      title: 'a delete of a row that comes by another way is counted and left',
    },
  },
  {
    name: 'truncate without regard to origin',
    breaks: siblings,
    edits: [
      {
        file: 'node/apply/statements.ts',
        find: 'const where = `${guard(layout, 1)} and not',
        replace: 'const where = `$1::text[] is not null and not',
      },
    ],
    test: {
      file: 'node/testing/suites/origin.test.ts',
      title: 'a TRUNCATE removes the rows of that child and no other',
    },
  },
  {
    name: 'heartbeat that overtakes',
    breaks: truth,
    edits: [
      {
        file: 'node/database/heartbeats.ts',
        find: 'values (${nonce}, pg_current_wal_insert_lsn(), clock_timestamp(), ${heartbeat.diskFree}::bigint)',
        replace:
          "values (${nonce}, pg_current_wal_insert_lsn(), clock_timestamp() + interval '1 s', ${heartbeat.diskFree}::bigint)",
      },
    ],
    test: {
      file: 'node/testing/suites/origin.test.ts',
      title: 'a heartbeat never overtakes the data before it',
    },
  },
  {
    name: 'no status while apply is at work',
    breaks: lost,
    edits: [
      {
        file: 'node/provider/direct-stream.ts',
        find: 'if (now - this.#statusAt >= this.#statusEveryMs) {',
        replace: 'if (now - this.#statusAt >= this.#statusEveryMs * 1e6) {',
      },
      {
        file: 'node/provider/direct-stream.ts',
        find: '    if (ask) {\n      this.#sendStatus(false);',
        replace: '    if (ask && this.#statusAt < 0) {\n      this.#sendStatus(false);',
      },
    ],
    test: {
      file: 'node/testing/suites/confirm.test.ts',
      title: 'a stream outlives an apply that is blocked for longer than wal_sender_timeout',
    },
  },
  {
    name: 'no witness is asked for',
    breaks: gap,
    edits: [
      {
        file: 'node/provider/proof.ts',
        find: 'if (!witness || facts.witnessLsn === witness.lsn) {',
        replace: 'if (!witness || facts.witnessLsn !== 0n) {',
      },
    ],
    test: {
      file: 'node/testing/suites/clone.test.ts',
      title: 'a clone that wrote on is recognised by its missing witness',
    },
  },
  {
    name: 'where the commits of an unconfirmed stretch end is not compared',
    breaks: 'no silent loss: a clone taken after the last heartbeat passes every other check',
    edits: [
      { file: 'node/provider/proof.ts', find: '    ...commitDoubts(known, facts),\n', replace: '' },
    ],
    test: { file: `${suites}/clone.test.ts`, title: 'a clone taken after the last heartbeat' },
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
    test: { file: `${suites}/mend.test.ts`, title: 'created again by hand while the stream runs' },
  },
  {
    name: 'a publication made again while the stream runs is not noticed',
    breaks: 'no silent gap: PostgreSQL 18 skips without a word what was committed in between',
    edits: [
      {
        file: 'node/supervise/identity-watch.ts',
        find: 'told.oid !== String(row.publicationOid)',
        replace: 'told.oid === null',
      },
    ],
    test: { file: `${suites}/mend.test.ts`, title: 'created again by hand while the stream runs' },
  },
  {
    name: 'a stream goes on at a new slot without a comparison',
    breaks: 'no silent gap: what was committed before the new slot never comes',
    edits: [
      {
        file: 'node/database/restart-stream.ts',
        find: '        incomplete = ${reason},\n',
        replace: '        incomplete = null,\n',
      },
      {
        file: 'node/database/restart-stream.ts',
        find: 'await query(wantAllSql, [known.provider, reason]);',
        replace: '',
      },
    ],
    test: { file: `${suites}/mend.test.ts`, title: 'a slot that was dropped' },
  },
  {
    name: 'a slot of our name is proof of the database behind it',
    breaks: 'no silent loss: rows are removed after the word of an older database',
    edits: [
      {
        file: 'node/provider/remedy.ts',
        find: "asked.has('rewound') || unproven ?",
        replace: "asked.has('rewound') && unproven ?",
      },
    ],
    test: {
      file: 'node/provider/remedy.test.ts',
      title: 'one sign of an older or another database',
    },
  },
  {
    name: 'a child that went back in time is mended like one that did not',
    breaks: 'no silent loss: the last copy of a lost day is overwritten and removed',
    edits: [
      {
        file: 'node/supervise/prove-or-mend.ts',
        find: "const careful = remedy === 'rewound' || isRewound(known);",
        replace: "const careful = remedy === 'person' || isRewound(known);",
      },
    ],
    test: { file: `${suites}/rewound.test.ts`, title: "restored from yesterday's backup" },
  },
  {
    name: 'that a child went back in time is noted only with the new slot',
    breaks: gap,
    edits: [
      {
        file: 'node/supervise/prove-or-mend.ts',
        find: 'if (careful && !isRewound(known)) {',
        replace: 'if (careful && isRewound(known)) {',
      },
    ],
    test: {
      file: `${suites}/rewound.test.ts`,
      title: 'a region that dies at the new slot still knows that its child went back in time',
    },
  },
  {
    name: 'a comparison settles rewound keys too',
    breaks: 'no silent loss: the comparison beside the stream removes what was listed',
    edits: [
      {
        file: 'node/reconcile/settle.ts',
        find: 'options.keys.filter((key) => !parked.isRewound({ table, key }))',
        replace:
          'options.keys.filter((key) => key.length > 0 || !parked.isRewound({ table, key }))',
      },
    ],
    test: { file: `${suites}/rewound.test.ts`, title: "restored from yesterday's backup" },
  },
  {
    name: 'a restored region is judged before its districts have brought it up to date',
    breaks: 'no silent loss: rows that stand in the districts are listed as lost',
    edits: [
      {
        file: 'node/supervise/stream-attempt.ts',
        find: 'if (!scope.providerIsLeaf && !(await stream.provider.isLevel(row.position))) {',
        replace: 'if (!scope.providerIsLeaf && row.paused) {',
      },
    ],
    test: { file: `${suites}/rewound.test.ts`, title: 'a restored region is brought up' },
  },
  {
    name: 'a later timeline counts as the one that was known',
    breaks: gap,
    edits: [
      {
        file: 'node/provider/proof.ts',
        find: 'if (facts.timeline !== known.timeline) {',
        replace: 'if (facts.timeline < known.timeline) {',
      },
    ],
    test: { file: `${suites}/standby.test.ts`, title: 'promoted with a lag loses' },
  },
  {
    name: 'every promoted standby counts as one with a lag',
    breaks: 'the way back after a failover without a lag needs nothing but a comparison',
    edits: [
      {
        file: 'node/provider/proof-facts.ts',
        find: 'knownTimelineEnd: history?.get(known.timeline) ?? null,',
        replace: 'knownTimelineEnd: history && null,',
      },
    ],
    test: {
      file: `${suites}/standby.test.ts`,
      title: 'a standby without a lag goes on, without a person',
    },
  },
  {
    name: 'a database of another name is taken for the child',
    breaks: siblings,
    edits: [
      {
        file: 'node/provider/remedy.ts',
        find: "node_name_differs: 'person',",
        replace: "node_name_differs: 'rewound',",
      },
      {
        file: 'node/provider/slot.ts',
        find: 'if (node !== provider) {',
        replace: 'if (node === null) {',
      },
    ],
    test: { file: `${suites}/sibling-address.test.ts`, title: 'an address that means the sibling' },
  },
  {
    name: 'a heartbeat is listed among what another server has lost',
    breaks: 'after a dump into a new server or a pg_upgrade no person is needed',
    edits: [
      {
        file: 'node/reconcile/rewound-scan.ts',
        find: 'isSame(each, table)) && !isHeartbeat(table)) {',
        replace: 'isSame(each, table)) && !(isHeartbeat(table) && found.has(table.name))) {',
      },
    ],
    test: { file: `${suites}/new-server.test.ts`, title: 'is equal again without a person' },
  },
  {
    name: 'slots are made without failover',
    breaks: 'the way back after a failover costs nothing where the server can keep the slot',
    edits: [{ file: 'node/provider/slot.ts', find: '>= 170000', replace: '>= 990000' }],
    test: { file: 'node/provider/contract.test.ts', title: 'a new slot says where it starts' },
  },
  {
    name: 'a transaction whose link is cut is sent again for ever',
    breaks: 'nothing lost: over a bad link a huge transaction never arrives',
    edits: [
      {
        file: 'node/supervise/worker.ts',
        find: 'seen: this.#cuts.doubt,',
        replace: 'seen: null,',
      },
    ],
    test: { file: `${suites}/huge-cut.test.ts`, title: 'cut five times' },
  },
  {
    name: 'a new slot keeps the transaction ids of the old server',
    breaks: 'a stream that was mended becomes level again',
    edits: [
      {
        file: 'node/reconcile/trail.ts',
        find: '  restart(): void {\n    this.#xids = [];',
        replace: '  restart(): void {',
      },
    ],
    test: { file: 'node/reconcile/trail.test.ts', title: 'after a new slot' },
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
  {
    name: 'a slot nobody uses is dropped at once',
    breaks: 'what a parent may still need is not given up in haste',
    edits: [
      {
        file: 'migrations/000004.sql',
        find: "and u.since < clock_timestamp() - interval '1 day'",
        replace: '',
      },
      {
        file: 'node/provider/unused-slots.ts',
        find: "u.since < clock_timestamp() - interval '1 day' as due",
        replace: 'true as due',
      },
    ],
    test: {
      file: 'node/provider/unused-slots.test.ts',
      title: 'a slot the file does not name is dropped after a day unused, and audited',
    },
  },
  {
    name: 'pausing is of the process, not of the database',
    breaks: truth,
    edits: [
      {
        file: 'node/supervise/stream-attempt.ts',
        find: 'if (known?.paused) {',
        replace: 'if (known?.paused && known.epoch < 3n) {',
      },
    ],
    test: {
      file: `${suites}/pause.test.ts`,
      title: 'a paused stream stays paused through a restart, resumes where it was',
    },
  },
  {
    name: 'later changes of a parked key are applied',
    breaks: 'one bad row stops nothing, and never half of its changes is here',
    edits: [
      {
        file: 'node/apply/part-parking.ts',
        find: '    if (this.#known.has(layout.table, key)) {',
        replace: '    if (this.#known.has(layout.table, key) && key === layout.table) {',
      },
    ],
    test: {
      file: 'node/apply/parking.test.ts',
      title: 'later changes of a parked key change nothing here, in',
    },
  },
  {
    name: 'a row soft-deleted here is published all the same',
    breaks: whole,
    edits: [
      {
        file: 'node/publish/intent.ts',
        find: 'table: leaf ? table : withoutSoft(table),',
        replace: 'table: leaf || table.key !== undefined ? table : withoutSoft(table),',
      },
    ],
    test: {
      file: `${suites}/soft-deletes.test.ts`,
      title: 'flags are right at region and nation in every order',
    },
  },
  {
    name: 'a text that is too long for a domain is cut',
    breaks: faithful,
    edits: [
      {
        file: 'node/apply/target.ts',
        find: 'format_type(b.oid, -1) as type',
        replace: 'format_type(a.atttypid, -1) as type',
      },
    ],
    test: { file: 'node/apply/drift.test.ts', title: 'a text that is longer than' },
  },
  {
    name: 'an identity generated always that is renewed stays as it was',
    breaks: faithful,
    edits: [
      {
        file: 'node/apply/statements.ts',
        find: '${sameIdentity(values, all)}',
        replace: '',
      },
    ],
    test: { file: 'node/apply/shapes.test.ts', title: 'renewed at the provider is renewed here' },
  },
  {
    name: 'triggers of the subscriber see only the last state of a row',
    breaks: faithful,
    edits: [
      {
        file: 'node/apply/target.ts',
        find: 'stepwise: facts.stepwise',
        replace: 'stepwise: false',
      },
    ],
    test: { file: `${suites}/oracle.test.ts`, title: 'equal to native and to the provider' },
  },
  {
    name: 'a range read without the snapshot rule',
    breaks: lost,
    edits: [
      {
        file: 'node/reconcile/range-view.ts',
        find: 'if (trail.isSeen(view.snapshot, watch)) {',
        replace: 'if (trail.isSeen(view.snapshot, watch) || trail.based) {',
      },
    ],
    test: {
      file: `${suites}/snapshot-rule.test.ts`,
      title:
        'a commit that is applied here and not visible there is not undone by reading the range',
    },
  },
  {
    name: 'a page of a copy is as large over a slow link as over a quick one',
    breaks: 'interrupted work resumes: a copy over a link that never holds for long gets on',
    edits: [
      {
        file: 'node/reconcile/page-size.ts',
        find: 'least: 32 << 10, first: 128 << 10, most: 1 << 20',
        replace: 'least: 1 << 20, first: 1 << 20, most: 1 << 20',
      },
    ],
    test: {
      file: `${suites}/first-copy-cut.test.ts`,
      title: 'a first copy gets on over a slow link that never holds for long',
    },
  },
  {
    name: 'the progress of a copy is written before its rows are committed',
    breaks: lost,
    edits: [
      {
        file: 'node/reconcile/copy-walk.ts',
        find: `    await stream.applier.put(
      { relation: plan.relation, present, absent: [], expected: 'new', adopting },
      async (query) => {
        // crash point: page-written
        const { bytes, rows, range } = page;
        await options.written(query, { through: range.upto, rows: rows.tuples.length, bytes });
      },`,
        replace: `    const { bytes, rows, range } = page;
    await options.written(side.query, { through: range.upto, rows: rows.tuples.length, bytes });
    await stream.applier.put(
      { relation: plan.relation, present, absent: [], expected: 'new', adopting },
      async () => {
        // crash point: page-written
        await Promise.resolve();
      },`,
      },
    ],
    test: {
      file: `${suites}/crash-points.test.ts`,
      title: 'a process that dies while a table is copied',
    },
  },
  {
    name: 'keys touched while a range is read are not left to the stream',
    breaks: lost,
    edits: [
      {
        file: 'node/reconcile/trail.ts',
        find: '      if (!sees(snapshot, xid)) {\n        if (key === null) {',
        replace: '      if (!sees(snapshot, xid) && key === null) {\n        if (key === null) {',
      },
    ],
    test: {
      file: `node/reconcile/trail.test.ts`,
      title: "keys touched by what the snapshot does not see are the stream's, the others are not",
    },
  },
  {
    name: 'a key that the stream touched is not judged again',
    breaks: 'reconcile leaves nothing that differs, whatever changes meanwhile',
    edits: [
      {
        file: 'node/reconcile/settle.ts',
        find: 'if (found.touched.has(number)) {\n      left.push(key);',
        replace: 'if (found.touched.has(number)) {\n      equal.push(key);',
      },
    ],
    test: {
      file: `${suites}/restless.test.ts`,
      title: 'a large value that is old here is mended',
    },
  },
  {
    name: 'a row that moves while its table is compared is not followed',
    breaks: 'reconcile leaves nothing that differs, whatever changes meanwhile',
    edits: [
      {
        file: 'node/apply/moved-rows.ts',
        find: '  if (!view.compares) {',
        replace: '  if (view.compares || transactions.length === 0) {',
      },
    ],
    test: {
      file: `${suites}/restless.test.ts`,
      title: 'its row moves from key to key',
    },
  },
  {
    name: 'a table of which rows are impossible here is left out and not noted',
    breaks: 'drift stops its own table alone, and is mended',
    edits: [
      {
        file: 'node/apply/part-noting.ts',
        find: 'const drifted = tables.filter(({ drift }) => drift !== null);',
        replace: 'const drifted = tables.filter(({ drift }) => drift !== null && query === null);',
      },
    ],
    test: {
      file: 'node/apply/drift.test.ts',
      title: 'that table is left alone, and the others of its transactions go on',
    },
  },
  {
    name: 'columns that come late are filled in some rows only',
    breaks: 'columns that were set aside are filled by reconcile once they exist',
    edits: [
      {
        file: 'node/reconcile/settle.ts',
        find: 'if (fills.length === 0 || different.length === 0) {',
        replace: 'if (fills.length >= 0) {',
      },
    ],
    test: {
      file: `${suites}/bad-table.test.ts`,
      title: 'a column that is not here yet is left out and shown with its ALTER',
    },
  },
  {
    name: 'a rewrite at the provider is not noticed',
    breaks: 'no silent gap: ALTER COLUMN ... USING changes rows and sends nothing',
    edits: [
      {
        file: 'node/reconcile/definitions.ts',
        find: 'if (known && (fills.length > 0 || known.storage !== storage)) {',
        replace: 'if (known && fills.length > 0) {',
      },
    ],
    test: {
      file: `${suites}/bad-table.test.ts`,
      title: 'ALTER COLUMN ... USING at the child, which sends nothing, arrives',
    },
  },
  {
    name: 'a row by COPY whose key stands here under another identity is left as it is',
    breaks: faithful,
    edits: [
      {
        file: 'node/apply/set-verdict.ts',
        find: 'this.#ordered ||= !last && answer.written + foreign < rows.length;',
        replace: 'this.#ordered ||= foreign < 0;',
      },
    ],
    test: {
      file: 'node/apply/copy.test.ts',
      title: 'a key that stands here already is updated, its identity too',
    },
  },
  {
    name: 'a transaction waits in memory however many changes it has',
    breaks: whole,
    edits: [
      {
        file: 'node/provider/intake.ts',
        find: ' || openSteps > spoolSteps',
        replace: ' || openSteps < 0',
      },
    ],
    test: {
      file: 'node/provider/intake.test.ts',
      title: 'a transaction of very many small rows goes to the disk',
    },
  },
  {
    name: 'rows that did not go in are committed with their position',
    breaks: lost,
    edits: [
      {
        file: 'node/apply/statements.ts',
        find: 'case when n = $${values + 1}::int8 then',
        replace: 'case when n <= $${values + 1}::int8 then',
      },
    ],
    test: { file: 'node/apply/conflicts.test.ts', title: 'update_missing' },
  },
  {
    name: 'transactions are read under a relation told after them',
    breaks: faithful,
    edits: [
      {
        file: 'node/provider/queue.ts',
        find: 'run.precedes(before)',
        replace: '(run.precedes(before) || run.steps > 0)',
      },
    ],
    test: {
      file: 'node/provider/queue.test.ts',
      title: 'rows are read under the relation that was told before them',
    },
  },
  {
    name: 'a row goes in before the row it refers to',
    breaks: 'orphans wait, and no level shows a row without what it refers to',
    edits: [
      {
        file: 'node/apply/part-judge.ts',
        find: 'const found = waits ?',
        replace: 'const found = waits && all.length < 0 ?',
      },
    ],
    test: {
      file: 'node/apply/orphans.test.ts',
      title: 'a row whose referred row is not here waits, others of its transaction go in',
    },
  },
  {
    name: 'the arrival of a row wakes nobody who waits for it',
    breaks: 'orphans wait, and go in when the row they refer to arrives',
    edits: [
      {
        file: 'node/apply/orphan-waiting.ts',
        find: 'if (waited.length === 0 || !(await anyWaits(query))) {',
        replace: 'if (waited.length >= 0) {',
      },
    ],
    test: {
      file: 'node/apply/orphans.test.ts',
      title: 'waits too; the arrival makes it due',
    },
  },
  {
    name: 'rows of before are not handed over',
    breaks: 'adopt hands rows over once, with the first copy',
    edits: [
      {
        file: 'node/reconcile/table-walk.ts',
        find: "side.stream.scope.adopts !== null && row.reason === 'first_copy'",
        replace: "side.stream.scope.adopts !== null && row.reason === 'never'",
      },
    ],
    test: {
      file: `${suites}/adopt.test.ts`,
      title: 'rows that stood at the region under its own name become the district',
    },
  },
  {
    name: 'a check that is gone is held against rows',
    breaks: 'one bad row stops nothing',
    edits: [
      {
        file: 'node/apply/offences.ts',
        find: ' is false and exists (',
        replace: ' is false or exists (',
      },
    ],
    test: {
      file: 'node/apply/offences.test.ts',
      title: 'a check that is gone is not held against rows that follow',
    },
  },
  {
    name: 'rows with a value on the move are parked at once',
    breaks: 'one bad row stops nothing',
    edits: [
      {
        file: 'node/apply/table-sift.ts',
        find: 'offenders.forEach((cause, row) => this.#set(batch, row, cause));',
        replace: 'offenders.forEach((cause, row) => this.#refuse(row, cause));',
      },
    ],
    test: {
      file: 'node/apply/offences.test.ts',
      title: 'is freed by the same part, goes in',
    },
  },
  {
    name: 'more rows than are allowed are overwritten and removed',
    breaks: gap,
    edits: [
      {
        file: 'node/reconcile/table-walk.ts',
        find: 'if (noted > this.#options.removals && noted > (await this.#allowed())) {',
        replace: 'if (noted > (await this.#allowed()) * 1000) {',
      },
    ],
    test: {
      file: `${suites}/verify.test.ts`,
      title:
        'more rows than are allowed are held, untouched, until a person has seen and allowed them',
    },
  },
  {
    name: 'a moved origin is judged before the new way has all of it',
    breaks: gap,
    edits: [
      {
        file: 'node/database/routes.ts',
        find: 'select o.origin from tributary.arrived_origins($1) o (origin)',
        replace: 'select r.origin from tributary.route r where r.via = $1 and r.awaited',
      },
    ],
    test: {
      file: 'node/database/routes.test.ts',
      title: 'it has come over once the child says that it has all of it',
    },
  },
  {
    name: 'the stream removes rows of an origin that has not come over yet',
    breaks: gap,
    edits: [
      {
        file: 'node/apply/open-applier.ts',
        find: 'if (awaited.size !== this.#removable.awaited) {',
        replace: 'if (awaited.size < this.#removable.awaited) {',
      },
    ],
    test: {
      file: 'node/apply/origins.test.ts',
      title: 'of an origin that is awaited rows are added and changed, and none is removed',
    },
  },
  {
    name: 'forget leaves what was known of the stream',
    breaks: gap,
    edits: [
      {
        file: 'node/database/forget-origin.ts',
        find: 'for (const name of streamTables) {',
        replace: 'for (const name of streamTables.slice(1)) {',
      },
    ],
    test: {
      file: `${suites}/closed-place.test.ts`,
      title: 'a closed place keeps its rows; a name that rows bear stays in the file',
    },
  },
  {
    name: 'forget does not ask by which file the parent runs',
    breaks: gap,
    edits: [
      {
        file: 'node/cli/forget.ts',
        find: 'if (file !== digest) {',
        replace: 'if (file === null) {',
      },
    ],
    test: {
      file: `${suites}/closed-place.test.ts`,
      title: 'a closed place keeps its rows; a name that rows bear stays in the file',
    },
  },
  {
    name: 'a file that strikes a name with rows comes into force',
    breaks: truth,
    edits: [
      {
        file: 'node/cli/tree-in-force.ts',
        find: 'if (struck.length > 0) {',
        replace: 'if (struck.length > 1) {',
      },
    ],
    test: {
      file: `${suites}/closed-place.test.ts`,
      title: 'a closed place keeps its rows; a name that rows bear stays in the file',
    },
  },
  {
    name: 'streams by the file before run while the ways change',
    breaks: siblings,
    edits: [
      {
        file: 'node/supervise/supervisor.ts',
        find: '    await between();\n',
        replace: '',
      },
      {
        file: 'node/supervise/supervisor.ts',
        find: '    const wanted = new Map(this.#wanted(topology, node)',
        replace: '    await between();\n    const wanted = new Map(this.#wanted(topology, node)',
      },
    ],
    test: {
      file: 'node/supervise/supervisor.test.ts',
      title: 'between two files no stream runs',
    },
  },
  {
    name: 'two copies of a table are equal when they have as many rows',
    breaks: truth,
    edits: [
      {
        file: 'node/reconcile/coarse-chunk.ts',
        find: 'equal: theirs.count === ours.count && theirs.digest === ours.digest,',
        replace: 'equal: theirs.count === ours.count,',
      },
    ],
    test: {
      file: 'node/reconcile/compare-walk.test.ts',
      title: 'wherever rows differ, all of them are suspected',
    },
  },
  {
    name: 'an estimate that is too low makes one question of a table of any size',
    breaks: 'whatever is compared comes to an end',
    edits: [
      {
        file: 'node/reconcile/coarse-stride.ts',
        find: 'return expected <= rows && bytes <= smallBytes;',
        replace: 'return expected <= rows;',
      },
    ],
    test: {
      file: 'node/reconcile/coarse-stride.test.ts',
      title: 'the rest is one question only where the table is small',
    },
  },
  {
    name: 'rows that stand only here are not found',
    breaks: truth,
    edits: [
      {
        file: 'node/reconcile/compare-walk.ts',
        find: 'if (open.get(text) !== hash) {',
        replace: 'if (open.has(text) && open.get(text) !== hash) {',
      },
    ],
    test: {
      file: `${suites}/verify.test.ts`,
      title: 'verify finds exactly the rows that were changed behind the parent',
    },
  },
  {
    name: 'a stream that ends leaves its session open',
    breaks: 'nothing piles up',
    edits: [
      {
        file: 'node/apply/session.ts',
        find: 'const ended = this.#client.end().catch(() => {});',
        replace: 'const ended = Promise.resolve();',
      },
    ],
    test: {
      file: `${suites}/soak.test.ts`,
      title: 'hours of load leave no memory, connection, file, slot or row of ours behind',
    },
  },
  {
    name: "a question waits for the application's locks as long as it takes",
    breaks: "the running node never holds up the provider's application",
    edits: [
      {
        file: 'node/database/connect.ts',
        find: 'politeLockTimeoutMs = 200',
        replace: 'politeLockTimeoutMs = 0',
      },
    ],
    test: {
      file: 'node/provider/polite.test.ts',
      title: 'a truncate of several tables goes through while the provider is asked about them',
    },
  },
  {
    name: 'all streams that start together connect together',
    breaks: siblings,
    edits: [
      {
        file: 'node/supervise/start-gate.ts',
        find: 'const placesAtOnce = 8;',
        replace: 'const placesAtOnce = 800;',
      },
    ],
    test: {
      file: 'node/supervise/supervisor.test.ts',
      title:
        'of many streams that start together a few connect at once, and none keeps the others waiting for ever',
    },
  },
  {
    name: 'what is meant for another node of the machine is done here',
    breaks: truth,
    edits: [
      {
        file: 'node/http/server.ts',
        find: '(headers[nameHeader] ?? options.name) !== options.name',
        replace: 'headers[nameHeader] === null',
      },
    ],
    test: {
      file: 'node/http/server.test.ts',
      title:
        'what is meant for another node of this machine is answered by nobody, and does nothing',
    },
  },
  {
    name: 'a row that is given back overwrites what its child keeps for itself',
    breaks: gap,
    edits: [
      {
        file: 'node/cli/return-sql.ts',
        find: '(leaving?.includes(column.name) ?? true) &&',
        replace: '',
      },
    ],
    test: {
      file: `${suites}/rewound.test.ts`,
      title: 'what a child keeps for itself stays as it is there when a row is given back',
    },
  },
  {
    name: 'rows go into another database than their positions',
    breaks: lost,
    edits: [
      {
        file: 'node/cli/run.ts',
        find: '{ ...now, database: node.database }',
        replace: 'now',
      },
    ],
    test: {
      file: `${suites}/bad-database.test.ts`,
      title: 'a changed `database` waits for the next start: rows and positions stay together',
    },
  },
  {
    name: 'a name that means this machine is as good as its address',
    breaks: 'nothing acts but from the machine itself',
    edits: [
      {
        file: 'node/http/server.ts',
        find: 'return name === configured || isLoopback(name);',
        replace: "return name !== '';",
      },
    ],
    test: {
      file: 'node/http/server.test.ts',
      title: 'a page of a site whose name has come to mean this machine reads and does nothing',
    },
  },
];
