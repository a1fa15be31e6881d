/** Every built-in type that a table can hold, at its edges. */
import type { Topic, TopicTable } from '../topic.ts';

interface Sample {
  readonly name: string;
  readonly type: string;
  /** Literals; each becomes a row. */
  readonly values: readonly string[];
}

/** Types whose binary form is the same everywhere: a stream of these alone may be binary. */
const plain: readonly Sample[] = [
  { name: 'truth', type: 'boolean', values: ['true', 'false'] },
  { name: 'small', type: 'smallint', values: ['-32768', '32767', '0'] },
  { name: 'whole', type: 'integer', values: ['-2147483648', '2147483647'] },
  { name: 'large', type: 'bigint', values: ['-9223372036854775808', '9223372036854775807'] },
  {
    name: 'amount',
    type: 'numeric',
    values: ['NaN', 'Infinity', '-Infinity', '1.0', '1.00', '-0.000', '1e131071', '1e-16383'],
  },
  { name: 'money_like', type: 'numeric(12,2)', values: ['9999999999.99', '-0.01', 'NaN', '0'] },
  {
    name: 'single',
    type: 'real',
    values: ['NaN', 'Infinity', '-Infinity', '-0', '1e-45', '3.4028235e38', '0.1'],
  },
  {
    name: 'double',
    type: 'double precision',
    values: ['NaN', 'Infinity', '-0', '5e-324', '1.7976931348623157e308', '0.1', '1e15'],
  },
  {
    name: 'words',
    type: 'text',
    values: [
      '',
      ' ',
      'null',
      '\\N',
      `it''s "quoted", {braced} \\ back`,
      'አማርኛ 😀 \u0301',
      '\t\n\r',
    ],
  },
  { name: 'limited', type: 'varchar(5)', values: ['', 'abcde', 'ñöß漢字', 'a    '] },
  { name: 'padded', type: 'char(5)', values: ['', 'a', 'abcde', '  b'] },
  { name: 'endless', type: 'bpchar', values: ['', 'a', 'a  '] },
  { name: 'ident', type: 'name', values: ['', 'a'.repeat(63), 'é'.repeat(31)] },
  { name: 'letter', type: '"char"', values: ['', 'a', '\\'] },
  { name: 'bytes', type: 'bytea', values: ['', '\\x00', '\\x00ff5c27', '\\xdeadbeef'] },
  {
    name: 'day',
    type: 'date',
    values: ['infinity', '-infinity', '4713-01-01 BC', '5874897-12-31', '2024-02-29'],
  },
  { name: 'clock', type: 'time', values: ['00:00', '24:00:00', '23:59:59.999999'] },
  { name: 'rough_clock', type: 'time(2)', values: ['12:34:56.78'] },
  { name: 'zoned_clock', type: 'timetz', values: ['00:00+14', '24:00:00-12', '12:00:00.5+05:45'] },
  {
    name: 'moment',
    type: 'timestamp',
    values: ['infinity', '-infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999'],
  },
  {
    name: 'instant',
    type: 'timestamptz',
    values: ['infinity', '-infinity', '2024-03-31 02:30:00.000001+03', '0044-03-15 12:00+00 BC'],
  },
  { name: 'loose', type: 'json', values: ['{ "a" : 1, "a":2 }', 'null', '"\\u00e9"', '1.0'] },
  { name: 'tight', type: 'jsonb', values: ['{"b":1,"a":[1.0,1.00,null]}', 'null', '""', '1e400'] },
  { name: 'unique_id', type: 'uuid', values: ['00000000-0000-0000-0000-000000000000'] },
  { name: 'spot', type: 'point', values: ['(1.5,-0)', '(NaN,Infinity)'] },
  { name: 'segment', type: 'lseg', values: ['[(0,0),(1,1e-300)]'] },
  { name: 'way', type: 'path', values: ['((0,0),(1,1))', '[(0,0),(1,1),(2,0)]'] },
  { name: 'crate', type: 'box', values: ['(1,1),(0,0)'] },
  { name: 'shape', type: 'polygon', values: ['((0,0),(0,1),(1,0))'] },
  { name: 'endless_line', type: 'line', values: ['{1,-1,0}'] },
  { name: 'ring', type: 'circle', values: ['<(0,0),0.1>'] },
  { name: 'net', type: 'cidr', values: ['10.0.0.0/8', '::/0', '2001:db8::/32'] },
  { name: 'host', type: 'inet', values: ['10.1.2.3/8', '::1', '192.168.0.1'] },
  { name: 'card', type: 'macaddr', values: ['08:00:2b:01:02:03'] },
  { name: 'card8', type: 'macaddr8', values: ['08:00:2b:ff:fe:01:02:03'] },
  { name: 'fixed_bits', type: 'bit(5)', values: [`10101`, '00000'] },
  { name: 'bits', type: 'bit varying(9)', values: ['', '1', '101010101'] },
  { name: 'place', type: 'pg_lsn', values: ['0/0', 'FFFFFFFF/FFFFFFFF'] },
];

/** These go as text, whatever the format of the rest. */
const textOnly: readonly Sample[] = [
  {
    name: 'span',
    type: 'interval',
    values: [
      '1 year 2 mons -3 days 04:05:06.7',
      '-178000000 years',
      '00:00',
      '-1 mon +1 day -00:00:01',
    ],
  },
  { name: 'rough_span', type: 'interval day to minute', values: ['1 day 02:03'] },
  { name: 'price', type: 'money', values: ['-92233720368547758.08', '12.34', '0'] },
  {
    name: 'markup',
    type: 'xml',
    values: ['<a b="c">é &amp; <!-- x --></a>', 'text <b/> text', '<?xml version="1.0"?><a/>', ''],
  },
  { name: 'found', type: 'tsvector', values: [`'a b':3 'c':1A,2B`, '', `'it''s':1`] },
  { name: 'search', type: 'tsquery', values: [`'a' & ( 'b':*A | !'c' ) <-> 'd'`, ''] },
  { name: 'query_path', type: 'jsonpath', values: ['$.a[*] ? (@ > 1)', 'strict $'] },
  { name: 'ints', type: 'int[]', values: ['{}', '{1,NULL,3}', '[2:4]={1,2,3}', '{{1,2},{3,4}}'] },
  { name: 'texts', type: 'text[]', values: [`{"",NULL,"NULL","a,b","\\"q\\"","\\\\"}`, '{}'] },
  { name: 'short_texts', type: 'varchar(3)[]', values: ['{abc,de,""}'] },
  { name: 'padded_texts', type: 'char(3)[]', values: ['{abc,de,""}'] },
  { name: 'bit_lists', type: 'bit(3)[]', values: ['{101,000}'] },
  { name: 'blobs', type: 'bytea[]', values: ['{"\\\\x00ff","\\\\x"}'] },
  { name: 'dates', type: 'date[]', values: ['{infinity,2024-02-29}'] },
  { name: 'jsons', type: 'jsonb[]', values: [`{"{\\"a\\": 1}",NULL}`] },
  { name: 'boxes', type: 'box[]', values: ['{(1,1),(0,0);(2,2),(1,1)}'] },
  { name: 'int_range', type: 'int4range', values: ['empty', '(,)', '[1,5)', '(,3]'] },
  {
    name: 'num_range',
    type: 'numrange',
    values: ['[1.0,1.00]', '(,)', 'empty', '[-Infinity,NaN)'],
  },
  { name: 'time_range', type: 'tstzrange', values: ['["2024-01-01 00:00+03",infinity]', '(,)'] },
  {
    name: 'days',
    type: 'datemultirange',
    values: ['{}', '{[2024-01-01,2024-02-01),[2024-03-01,)}'],
  },
  { name: 'nums', type: 'nummultirange', values: ['{(,)}', '{[1.0,1.00]}'] },
  { name: 'ranges', type: 'int8range[]', values: ['{"[1,5)",empty}'] },
  { name: 'object', type: 'oid', values: ['0', '4294967295'] },
  { name: 'process', type: 'xid8', values: ['18446744073709551615'] },
  { name: 'old_process', type: 'xid', values: ['4294967295'] },
  { name: 'command', type: 'cid', values: ['7'] },
  { name: 'spot_in_table', type: 'tid', values: ['(4294967295,65535)'] },
  { name: 'seen', type: 'pg_snapshot', values: ['10:20:10,14,15'] },
  { name: 'cursor', type: 'refcursor', values: ['', 'a'] },
  { name: 'vector', type: 'int2vector', values: ['1 2 3', ''] },
  { name: 'oids', type: 'oidvector', values: ['1 2'] },
  { name: 'word_type', type: 'regtype', values: ['int4', 'text[]', '-', '4294967290'] },
  {
    name: 'a_table',
    type: 'regclass',
    values: ['pg_catalog.pg_class', 'pg_class', '-', '4294967290'],
  },
  { name: 'config', type: 'regconfig', values: ['english'] },
  { name: 'a_function', type: 'regprocedure', values: ['lower(text)', '-'] },
  { name: 'bare_function', type: 'regproc', values: ['now', '-'] },
  { name: 'an_operator', type: 'regoperator', values: ['+(integer,integer)', '0'] },
  { name: 'a_schema', type: 'regnamespace', values: ['pg_catalog', '-'] },
];

/** One row per value, alone in its column; the rest null. Then every row is changed to the next value of its column. */
function scenariosOf(table: string, samples: readonly Sample[]): Topic['scenarios'] {
  const rows = samples.flatMap(({ name, values }) => values.map((value) => ({ name, value })));
  const inserts = rows.map(
    ({ name, value }, index) =>
      `insert into ${table} (id, ${name}) values (${index}, ${text(value)})`,
  );
  const last = samples.map(({ values }) => text(values.at(-1) ?? ''));
  const names = samples.map(({ name }) => name);
  return [
    { title: `${table}: every value arrives`, run: inserts },
    {
      title: `${table}: every value in one row, and the row changed`,
      run: [
        `insert into ${table} (id, ${names.join(', ')}) values (-1, ${last.join(', ')})`,
        `insert into ${table} (id, ${names.join(', ')}) values (-2, ${last.join(', ')})`,
        `update ${table} set ${names.map((name, index) => `${name} = ${text(samples[index]?.values[0] ?? '')}`).join(', ')} where id = -1`,
        `update ${table} set ${names.map((name) => `${name} = null`).join(', ')} where id = -2`,
        `insert into ${table} (id) values (-3)`,
      ],
    },
  ];
}

function definition(table: string, samples: readonly Sample[]): string {
  return `create table ${table} (id int primary key, ${samples.map(({ name, type }) => `${name} ${type}`).join(', ')});`;
}

const tables: readonly TopicTable[] = [{ name: 'plain' }, { name: 'special' }];

export const builtInTypes: Topic = {
  name: 'built_in_types',
  ddl: definition('plain', plain) + definition('special', textOnly),
  tables,
  scenarios: [
    ...scenariosOf('plain', plain).map((each) => ({ ...each, empty: ['special'] })),
    ...scenariosOf('special', textOnly),
  ],
};

/** Nothing but what fits the binary form: the stream is binary. */
export const binaryTypes: Topic = {
  name: 'binary_types',
  alone: true,
  format: 'binary',
  ddl: definition('plain', plain),
  tables: [{ name: 'plain' }],
  scenarios: scenariosOf('plain', plain),
};

/** Infinite intervals are new in 17. */
export const infiniteIntervals: Topic = {
  name: 'infinite_intervals',
  since: 17,
  subscriberSince: 17,
  ddl: `create table waited (id int primary key, span interval, spans interval[]);`,
  tables: [{ name: 'waited' }],
  scenarios: [
    {
      title: 'arrive',
      run: [
        `insert into waited values (1, 'infinity', '{infinity,-infinity,"1 day"}'), (2, '-infinity', null), (3, '1 day', '{}')`,
        `update waited set span = 'infinity' where id = 3`,
      ],
    },
  ],
};

/** A literal; quotes in a value may be doubled already. */
function text(value: string): string {
  return `'${value.replaceAll("''", "'").replaceAll("'", "''")}'`;
}
