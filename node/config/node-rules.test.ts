/** Nodes that are refused: each problem with its line and what to write instead. */
import { head, refuses, region, withNodes } from '../testing/malformed.ts';

refuses([
  {
    title: 'names that are none',
    text: withNodes(
      `  - {name: North, level: region, parent: nation, database: x, provider: x}\n  - {name: ${'a'.repeat(41)}, level: region, parent: nation, database: x, provider: x}\n`,
    ),
    problems: [
      [6, 'nodes[1].name', /as it must be/, /`name: north`.*a to z/],
      [7, 'nodes[2].name', /as it must be/, /at most 40/],
    ],
  },
  {
    title: 'a name twice',
    text: withNodes(`  - ${region}\n  - ${region}\n`),
    problems: [[7, 'nodes[2].name', /`north` stands here twice/, /remove one/]],
  },
  {
    title: 'a level and a parent that do not exist',
    text: withNodes(
      '  - {name: north, level: regin, parent: natoin, database: x, provider: x}\n  - name: awash\n    level: village\n    parent: moon\n    database: x\n    provider: x\n',
    ),
    problems: [
      [6, 'nodes[1].level', /no level `regin`/, /`level: region`/],
      [6, 'nodes[1].parent', /no node `natoin`/, /`parent: nation`/],
      [8, 'nodes[2].level', /no level `village`/, /district, region or nation/],
      [9, 'nodes[2].parent', /no node `moon`/, /nation or north/],
    ],
  },
  {
    title: 'a parent of the same and of a lower level',
    text: withNodes(
      `  - ${region}\n  - {name: south, level: region, parent: north, database: x, provider: x}\n  - {name: awash, level: district, parent: south, database: x, provider: x}\n  - {name: east, level: region, parent: awash, database: x, provider: x}\n`,
    ),
    problems: [
      [7, 'nodes[2].parent', /north is of the same level \(region; this node: region\)/, /higher/],
      [9, 'nodes[4].parent', /awash is of a lower level \(district; this node: region\)/, /higher/],
    ],
  },
  {
    title: 'two roots',
    text: withNodes('  - {name: other, level: nation, database: x}\n'),
    problems: [[6, 'nodes[1]', /other has no parent, and nation has none/, /parent: nation/]],
  },
  {
    title: 'a misspelt parent is told once, and not as a second root',
    text: withNodes('  - {name: n, level: region, parnet: nation, database: x, provider: x}\n'),
    problems: [[6, 'nodes[1].parnet', /no field `parnet`/, /^write `parent`$/]],
  },
  {
    title: 'a circle without a root',
    text: `${head}tables: []\nnodes:\n  - {name: a, level: district, parent: b, database: x, provider: x}\n  - {name: b, level: region, parent: c, database: x, provider: x}\n  - {name: c, level: nation, parent: a, database: x, provider: x}\n`,
    problems: [
      [4, 'nodes', /no node is the root/, /remove `parent`/],
      [5, 'nodes[0].parent', /a circle: a -> b -> c -> a/, /not below/],
      [7, 'nodes[2].parent', /a is of a lower level/, /higher level/],
    ],
  },
  {
    title: 'a node that is its own parent',
    text: withNodes('  - {name: north, level: region, parent: north, database: x, provider: x}\n'),
    problems: [
      [6, 'nodes[1].parent', /north is its own parent/, /not below/],
      [6, 'nodes[1].parent', /same level/, /higher level/],
    ],
  },
  {
    title: 'no way to reach a child',
    text: withNodes('  - {name: north, level: region, parent: nation, database: x}\n'),
    problems: [[6, 'nodes[1].provider', /is missing/, /provider: \$\{NORTH_PROVIDER_URL\}/]],
  },
  {
    title: 'a link that is not in this version',
    text: withNodes(`  - ${region.replace('}', ', link: dial}')}\n`),
    problems: [[6, 'nodes[1].link', /dial is not in this version/, /`link: direct`/]],
  },
  {
    title: 'a child of a retired node',
    text: withNodes(
      `  - ${region.replace('}', ', retired: true}')}\n  - {name: awash, level: district, parent: north, database: x, provider: x}\n`,
    ),
    problems: [[7, 'nodes[2].parent', /north is retired/, /takes over/]],
  },
  {
    title: 'fields that mean nothing at the root',
    text: `${head}tables: []\nnodes:\n  - {name: a, level: nation, database: x, retired: true, adopt: true}\n`,
    problems: [
      [5, 'nodes[0].retired', /root can not be retired/, /remove/],
      [5, 'nodes[0].adopt', /no parent/, /remove/],
    ],
  },
  {
    title: 'numbers, sizes and paths that are none',
    text: withNodes(
      `  - name: north\n    level: region\n    parent: nation\n    database: 5432\n    provider: x\n    http: {port: "80", open: yes}\n    disk: {path: data}\n    outage: {log: 8G}\n    spool: tmp\n    roles: {reader: a, writer: a}\n    probes: [{name: Web}]\n`,
    ),
    problems: [
      [9, 'nodes[1].database', /a number, not a text/, /NORTH_DATABASE_URL/],
      [11, 'nodes[1].http.port', /a text, not a number/, /8080/],
      [11, 'nodes[1].http.open', /a text, not true or false/, /false/],
      [12, 'nodes[1].disk.path', /as it must be/, /absolute path/],
      [13, 'nodes[1].outage.log', /as it must be/, /`log: 8GB`/],
      [14, 'nodes[1].spool', /as it must be/, /absolute path/],
      [15, 'nodes[1].roles', /one role/, /two different/],
      [16, 'nodes[1].probes[0].name', /as it must be/, /`name: web`/],
      [16, 'nodes[1].probes[0].url', /is missing/, /https:/],
    ],
  },
  {
    title: 'placeholders that are none, and where none may be',
    text: withNodes(
      `  - name: north\n    level: region\n    parent: nation\n    title: \${TITLE}\n    database: \${1X}\n    provider: \${file:}\n    probes: [{name: web, url: "\${X"}]\n`,
    ),
    problems: [
      [9, 'nodes[1].title', /holds a placeholder/, /write the value itself/],
      [10, 'nodes[1].database', /placeholder that is none/, /\$\{NAME\}/],
      [11, 'nodes[1].provider', /placeholder that is none/, /\$\{file:\/path\}/],
      [12, 'nodes[1].probes[0].url', /placeholder that is none/, /\$\$\{/],
    ],
  },
]);
