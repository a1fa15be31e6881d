/** Settings of the provider's sessions, role and database that change how values look: none of them may reach the copy. */
import type { Topic } from '../topic.ts';

const settings = [
  `datestyle = 'German, DMY'`,
  `intervalstyle = 'sql_standard'`,
  `timezone = 'Africa/Addis_Ababa'`,
  `extra_float_digits = -10`,
  `bytea_output = 'escape'`,
  `xmloption = 'document'`,
  `standard_conforming_strings = 'off'`,
  `array_nulls = 'off'`,
  `transform_null_equals = 'on'`,
  `search_path = 'pg_catalog'`,
];

/** What every session of the database finds before it says anything. */
function ofDatabase(list: readonly string[]): string {
  return `do $$ declare s text; begin
    foreach s in array array[${list.map((one) => `$s$${one}$s$`).join(', ')}] loop
      execute format('alter database %I set %s', current_database(), s);
    end loop; end $$;`;
}

export const sessionFormat: Topic = {
  name: 'session_formats',
  alone: true,
  ddl: `create table value (id int primary key, d date, t timestamptz, ts timestamp, i interval, f float8, r real, b bytea, x xml, a text[], n text);`,
  providerDdl: ofDatabase(settings),
  // By array_nulls = off native stores the text NULL for a null in an array, silently.
  subscriberDdl: ofDatabase(settings.filter((one) => !one.startsWith('array_nulls'))),
  tables: [{ name: 'value' }],
  scenarios: [
    {
      title: 'values arrive as they are',
      run: [
        `insert into value values (1, '3.4.2024', '2024-03-31 02:30+03', '1.2.2024 10:00', '1-2 3 4:05:06.7', 0.1 + 0.2, 0.1,
           decode('00ff5c', 'hex'), '<a/>', array['NULL', null, ''], 'it''s n')`,
        `insert into value (id, i, f) values (2, interval '-1 day 2 hours', 1e-300), (3, interval '1 year -2 days', 'NaN')`,
        `update value set f = 1.0 / 3, i = -i where id = 2`,
        `update value set n = '\\\\n' where id = 1`,
      ],
    },
  ],
};
