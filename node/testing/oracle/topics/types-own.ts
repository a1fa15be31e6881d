/** Types the application made, whose numbers differ from database to database, and types of contrib modules. */
import type { Topic } from '../topic.ts';

export const ownTypes: Topic = {
  name: 'own_types',
  extensions: ['citext', 'hstore', 'ltree', 'cube', 'isn', 'seg', 'intarray'],
  // Types made in another order have other numbers.
  providerDdl: `create type filler_1 as enum ('x'); create type filler_2 as (a int); create table early (e filler_1, f filler_2);`,
  ddl: `
    create type mood as enum ('sad', 'ok', 'happy', 'Sehr "froh", ja');
    create domain percent as numeric(5,2) check (value between 0 and 100);
    create domain short as varchar(5) not null;
    create domain moods as mood[];
    create domain nested as percent;
    create type place as (street text, number int, tags text[], at point);
    create type visit as (who text, where_at place, feeling mood);
    create type text_range as range (subtype = text, multirange_type_name = text_ranges);
    create type mood_range as range (subtype = mood);
    create table own (
      id int primary key,
      m mood, ms mood[], p percent, ps percent[], n nested, dm moods,
      pl place, pls place[], v visit, r text_range, rs text_range[], mr text_ranges, mm mood_range
    );
    create table shorts (id int primary key, s short);
    create table contrib (
      id int primary key, c citext, cs citext[], h hstore, l ltree, q lquery, k cube, i isbn, g seg
    );`,
  tables: [{ name: 'own' }, { name: 'shorts' }, { name: 'contrib' }],
  scenarios: [
    {
      title: 'values of every kind of type arrive',
      run: [
        `insert into own (id, m, ms, dm, mm) values
           (1, 'happy', '{sad,NULL,"Sehr \\"froh\\", ja"}', '{ok}', '[sad,happy)'),
           (2, 'Sehr "froh", ja', '{}', null, 'empty')`,
        `insert into own (id, p, ps, n) values (3, 99.99, '{0,100,NULL}', 12.5), (4, 0, '{}', null)`,
        `insert into own (id, pl, pls, v) values
           (5, row('a "b", (c)', 7, '{x,"y z"}', '(1,-0)'), array[row(null, null, null, null), row('', 0, '{}', null)]::place[],
               row('who', row('s', 1, null, '(NaN,1)'), 'sad')),
           (6, row(null, null, null, null), null, row(null, null, null))`,
        `insert into own (id, r, rs, mr) values
           (7, '[a,"b, c")', '{"[a,b)",empty,"(,)"}', '{[a,b),["c ""d""",]}'), (8, 'empty', '{}', '{}')`,
        `insert into shorts values (1, 'abcde'), (2, '')`,
        `insert into contrib values
           (1, 'MiXed', '{Ab,NULL}', 'a=>1, "b c"=>NULL, "q\\""=>""', 'Top.Science', 'Top.*{1,2}', '(1,2),(3,4)', '978-0-393-04002-9', '1 .. 2.50'),
           (2, '', '{}', '', '', '*', '(0)', null, '~1.0')`,
      ],
    },
    {
      title: 'values are changed',
      run: [
        `update own set m = 'sad', ms = ms || 'happy'::mood, p = p / 2, pl.street = 'new' where id < 9`,
        `update contrib set c = upper(c), h = h || 'new=>x', l = l || 'Tail'`,
        `update shorts set s = 'x' where id = 1`,
        `delete from contrib where id = 2`,
      ],
    },
    {
      title: 'an enum gets a value, and it is used',
      run: async (stage) => {
        const session = await stage.session('one');
        const add = `alter type mood add value 'ecstatic' before 'happy'`;
        await stage.subscribers(add);
        await session.query(add);
        await session.query(`insert into own (id, m, ms) values (20, 'ecstatic', '{ecstatic}')`);
        await session.query(`update own set mm = '[sad,ecstatic]' where id = 1`);
      },
    },
  ],
};
