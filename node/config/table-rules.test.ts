/** Tables that are refused: each problem with its line and what to write instead. */
import { refuses, withTable } from '../testing/malformed.ts';

refuses([
  {
    title: 'a table without schema',
    text: withTable('  - table: report\n'),
    problems: [[7, 'tables[1].table', /as it must be/, /public\.case_report/]],
  },
  {
    title: 'a table twice',
    text: withTable('  - table: public.report\n'),
    problems: [[7, 'tables[1].table', /stands here twice/, /remove one/]],
  },
  {
    title: "a table of Tributary's own",
    text: withTable('  - table: tributary.heartbeat\n'),
    problems: [[7, 'tables[1].table', /not the application's/, /by themselves/]],
  },
  {
    title: 'a filter that is none',
    text: withTable("    approved: status = 'a' and total / n > 5\n"),
    problems: [
      [7, 'tables[0].approved', /holds "\/".*\(at character 24\)/, /write only columns, constants/],
    ],
  },
  {
    title: 'a filter over a column that does not travel',
    text: withTable("    approved: status = 'a'\n    columns: [id]\n"),
    problems: [[8, 'tables[0].columns', /`approved` reads `status`/, /write `status` too/]],
  },
  {
    title: 'key and origin that do not travel',
    text: withTable('    key: [code]\n    origin: place\n    columns:\n      - id\n'),
    problems: [
      [9, 'tables[0].columns', /the key needs `code`/, /write `code` too/],
      [9, 'tables[0].columns', /`origin` needs `place`/, /write `place` too/],
    ],
  },
  {
    title: 'levels in `at` that do not exist or that nothing leaves',
    text: withTable('    at:\n      regoin: {columns: [id]}\n      nation: {columns: [id]}\n'),
    problems: [
      [8, 'tables[0].at.regoin', /no level `regoin`/, /write `region`/],
      [9, 'tables[0].at.nation', /nothing leaves the highest level/, /remove/],
    ],
  },
  {
    title: 'columns that leave a level and did not arrive there',
    text: withTable(
      '    columns: [id, a, b]\n    at:\n      district: {columns: [id, a]}\n      region:\n        columns:\n          - id\n          - b\n          - c\n',
    ),
    problems: [
      [13, 'tables[0].at.region.columns[1]', /`b` does not leave level district/, /remove it here/],
      [14, 'tables[0].at.region.columns[2]', /`c` is not in `columns`/, /there too/],
      [14, 'tables[0].at.region.columns[2]', /`c` does not leave level district/, /remove it here/],
    ],
  },
  {
    title: 'a column listed twice',
    text: withTable('    columns: [id, a, id]\n'),
    problems: [[7, 'tables[0].columns[2]', /`id` stands here twice/, /remove one/]],
  },
  {
    title: 'the column that is added by itself',
    text: withTable('    columns: [id, tributary_origin]\n    origin: tributary_origin\n'),
    problems: [
      [7, 'tables[0].columns[1]', /added by itself/, /remove/],
      [8, 'tables[0].origin', /added by itself/, /remove the line/],
    ],
  },
  {
    title: 'identity full with a list of columns',
    text: withTable('    identity: full\n    columns: [id]\n'),
    problems: [[7, 'tables[0].identity', /does not go with a list of columns/, /identity: index/]],
  },
  {
    title: 'one column for soft and deactivate',
    text: withTable('    deletes: {soft: gone}\n    orphans: {deactivate: gone}\n'),
    problems: [
      [8, 'tables[0].orphans.deactivate', /`gone` serves `deletes` already/, /another boolean/],
    ],
  },
  {
    title: 'one column for soft and for the orphans of one foreign key',
    text: withTable(
      '    deletes: {soft: gone}\n    orphans_by_foreign_key:\n      report_fkey: {deactivate: gone}\n',
    ),
    problems: [
      [9, 'tables[0].orphans_by_foreign_key.report_fkey.deactivate', /`gone` serves/, /another/],
    ],
  },
  {
    title: 'flags that travel or are read by the filter',
    text: withTable(
      '    columns: [id, gone]\n    approved: "id = 1"\n    deletes: {soft: gone}\n  - table: public.b\n    approved: active\n    orphans: {deactivate: active}\n',
    ),
    problems: [
      [9, 'tables[0].deletes.soft', /`gone` travels/, /nothing else uses/],
      [12, 'tables[1].orphans.deactivate', /`active` travels/, /nothing else uses/],
    ],
  },
  {
    title: 'misspelt rules',
    text: withTable(
      '    identity: ful\n    orphans: waitt\n    deletes: hrad\n    direction: down\n',
    ),
    problems: [
      [7, 'tables[0].identity', /none of the values/, /write `full`/],
      [8, 'tables[0].orphans', /none of the values/, /write `wait`/],
      [9, 'tables[0].deletes', /none of the values/, /write `hard`/],
      [10, 'tables[0].direction', /none of the values/, /`direction: up`/],
    ],
  },
]);
