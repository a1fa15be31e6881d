#!/bin/bash
# Run once by the image postgres, in an empty data directory: roles of the application and of the node, then the schema.
set -e

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --set writer="$WRITER_PASSWORD" --set reader="$READER_PASSWORD" --set application="$APPLICATION_PASSWORD" <<'SQL'
create role tributary_writer login password :'writer';
create role tributary_reader login replication password :'reader';
create role health login password :'application';
\i /schema.sql
grant select, insert, update, delete on all tables in schema public to health;
SQL
