/** Names that must be quoted, in every place a name can stand. */
import type { Topic } from '../topic.ts';

export const names: Topic = {
  name: 'Odd "schema".ስም',
  ddl: `
    create type "My Type" as enum ('a b', 'c"d');
    create table "Select" ("Id" int primary key, "order" text, "a.b" int, "quo""te" text, "c1" int, "s" int, "t" "My Type");
    create table "ሠንጠረዥ 1" ("ቁልፍ %s $1" text primary key, "ñ" text, "status" text not null, "excluded" int);
    create table "${'x'.repeat(63)}" ("${'y'.repeat(63)}" int primary key, "user" text);
    create unique index "Odd ""index" on "Select" ("a.b");`,
  tables: [
    { name: 'Select', key: ['Id'] },
    { name: 'ሠንጠረዥ 1', key: ['ቁልፍ %s $1'], approved: "status = 'approved'" },
    { name: 'x'.repeat(63), key: ['y'.repeat(63)] },
  ],
  scenarios: [
    {
      title: 'rows come, change and go',
      run: [
        `insert into "Select" values (1, 'o', 1, 'q', 1, 1, 'a b'), (2, null, 2, '"', 2, 2, 'c"d'), (3, 'x', 3, 'y', 3, 3, null)`,
        `insert into "ሠንጠረዥ 1" values ('ሀ', 'n', 'approved', 1), ('ለ', 'n', 'draft', 2), ('b', null, 'approved', 3)`,
        `insert into "${'x'.repeat(63)}" values (1, 'me'), (2, 'you')`,
        `update "Select" set "order" = 'changed', "a.b" = -1 where "Id" = 1`,
        `update "Select" set "Id" = 30 where "Id" = 3`,
        `delete from "Select" where "Id" = 2`,
        `update "ሠንጠረዥ 1" set status = 'approved', "ñ" = 'in' where "ቁልፍ %s $1" = 'ለ'`,
        `begin; update "ሠንጠረዥ 1" set "ቁልፍ %s $1" = 'c' where "ቁልፍ %s $1" = 'b'; update "ሠንጠረዥ 1" set "excluded" = 9; commit`,
        `update "${'x'.repeat(63)}" set "user" = 'all'`,
      ],
    },
    {
      title: 'unique values handed on under such names',
      run: [
        `begin; update "Select" set "a.b" = 77 where "Id" = 30; update "Select" set "a.b" = 3 where "Id" = 1; update "Select" set "a.b" = -1 where "Id" = 30; commit`,
        `begin; truncate "${'x'.repeat(63)}"; insert into "${'x'.repeat(63)}" values (3, 'new'); commit`,
      ],
    },
  ],
};
