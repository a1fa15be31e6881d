/** Triggers of the subscriber: ENABLE REPLICA and ALWAYS see every change in its order; ordinary ones and rules see none. */
import type { Topic } from '../topic.ts';

export const trigger: Topic = {
  name: 'triggers',
  ddl: `
    create table watched (id int primary key, status text not null, note text);
    create table filled (id int primary key, note text, folded text);
    create table leaf_watched (id int, day int, note text, primary key (id, day)) partition by list (day);
    create table leaf_watched_1 partition of leaf_watched for values in (1);
    create table leaf_watched_2 partition of leaf_watched for values in (2);
    create table ordinary (id int primary key, note text);`,
  subscriberDdl: `
    set role application_owner;
    create table seen (n bigint generated always as identity, what text, old text, new text);
    create function note_change() returns trigger language plpgsql security definer set search_path = triggers, public as $$
    begin
      insert into seen (what, old, new) values (
        format('%s %s %s', tg_table_name, tg_op, tg_name),
        case when tg_op <> 'INSERT' then concat_ws(' ', old.id, old.note) end,
        case when tg_op <> 'DELETE' then concat_ws(' ', new.id, new.note) end);
      return coalesce(new, old);
    end $$;
    create trigger always after insert or update or delete on watched for each row execute function note_change();
    create trigger replica before insert or update or delete on watched for each row execute function note_change();
    create trigger ordinary after insert on watched for each row execute function note_change();
    alter table watched enable always trigger always;
    alter table watched enable replica trigger replica;
    create function fold() returns trigger language plpgsql as $$ begin new.folded := upper(new.note); return new; end $$;
    create trigger fold before insert or update on filled for each row execute function fold();
    alter table filled enable replica trigger fold;
    create trigger leaf after insert or update or delete on leaf_watched_1 for each row execute function note_change();
    alter table leaf_watched_1 enable always trigger leaf;
    create trigger quiet after insert or update or delete on ordinary for each row execute function note_change();
    create rule quiet as on insert to ordinary do also insert into seen (what) values ('rule');`,
  tables: [
    { name: 'watched', approved: "status = 'approved'" },
    { name: 'filled' },
    { name: 'leaf_watched', key: ['id', 'day'] },
    { name: 'ordinary' },
  ],
  scenarios: [
    {
      title: 'see each change in order',
      nativeOnly: 'a trigger of the subscriber fills a column',
      alike: [`select n, what, old, new from {schema}.seen order by n`],
      run: [
        `insert into ordinary values (1, 'a')`,
        `insert into filled values (1, 'a', null), (2, 'b', 'sent')`,
        `insert into watched select n, case when n % 2 = 0 then 'approved' else 'draft' end, 'n' || n from generate_series(1, 8) n`,
        `begin; update watched set note = 'a' where id = 2; update watched set note = 'b' where id = 2; update watched set note = 'c' where id = 2; commit`,
        `begin; insert into watched values (20, 'approved', 'x'); update watched set note = 'y' where id = 20; delete from watched where id = 20; commit`,
        `update watched set status = 'approved' where id = 1`,
        `update watched set status = 'draft' where id = 4`,
        `update watched set id = 60 where id = 6`,
        `update filled set note = 'c' where id = 1`,
        `begin; insert into leaf_watched values (1, 1, 'a'), (2, 2, 'b'); update leaf_watched set note = 'c'; commit`,
        `update ordinary set note = 'b'`,
      ],
    },
  ],
};
