/** Files that are no YAML, or lack the shape: each problem with its line and what to write instead. */
import { head, refuses, withNodes, withTable } from '../testing/malformed.ts';

refuses([
  {
    title: 'an empty file',
    text: '',
    problems: [[1, '', /the file is empty/, /version: 1/]],
  },
  {
    title: 'a file that is no map',
    text: '- a\n',
    problems: [[1, '', /a list, not a group of fields/, /key: value/]],
  },
  {
    title: 'a tab as indentation',
    text: `${head}nodes:\n\t- a\n`,
    problems: [[4, '', /a tab/, /two spaces/]],
  },
  {
    title: 'a key twice',
    text: `${withNodes('')}version: 1\n`,
    problems: [[6, '', /same key/, /remove one/]],
  },
  {
    title: 'an anchor and an alias',
    text: `${head}tables: &t []\nnodes: *t\n`,
    problems: [
      [3, '', /&t/, /write the values out/],
      [4, '', /\*t/, /write the values out/],
    ],
  },
  {
    title: 'two documents',
    text: `${withNodes('')}---\na: 1\n`,
    problems: [[6, '', /second document/, /`---`/]],
  },
  {
    title: 'a bracket that is not closed',
    text: `${head}tables: [\nnodes:\n`,
    problems: [[4, '', /.+/, /.+/]],
  },
  {
    title: 'fields that are missing',
    text: '{}\n',
    problems: [
      [1, 'version', /is missing/, /`version: 1`/],
      [1, 'levels', /is missing/, /\[district, region, nation\]/],
      [1, 'tables', /is missing/, /tables: \[/],
      [1, 'nodes', /is missing/, /nodes: \[/],
    ],
  },
  {
    title: 'fields that do not exist',
    text: `${withNodes('    # nothing\n')}zonne: UTC\nspeed: 3\n`,
    problems: [
      [7, 'zonne', /no field `zonne`/, /^write `zone`$/],
      [8, 'speed', /no field `speed`/, /or remove it/],
    ],
  },
  {
    title: 'another version',
    text: withNodes('').replace('version: 1', 'version: 2'),
    problems: [[1, 'version', /none of the values/, /`version: 1`/]],
  },
  {
    title: 'a time zone that is none, and an offset',
    text: `zone: Africa/Addis_Abeba\n${withNodes('')}`,
    problems: [[1, 'zone', /no time zone/, /zone: Africa\/Addis_Ababa/]],
  },
  {
    title: 'an offset in place of a zone',
    text: `zone: "+03:00"\n${withNodes('')}`,
    problems: [[1, 'zone', /no time zone/, /zone: /]],
  },
  {
    title: 'a heartbeat without unit',
    text: `heartbeat: 30\n${withNodes('')}`,
    problems: [[1, 'heartbeat', /a number, not a text/, /`heartbeat: 30s`/]],
  },
  {
    title: 'a heartbeat of a day',
    text: `heartbeat: 24h\n${withNodes('')}`,
    problems: [[1, 'heartbeat', /between 100ms and 1h/, /30s/]],
  },
  {
    title: 'a value without text',
    text: withTable('    approved:\n'),
    problems: [[7, 'tables[0].approved', /has no value/, /status = 'approved'/]],
  },
]);
