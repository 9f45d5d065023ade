#!/bin/sh
# Run once by the PostgreSQL image, on a new cluster: the application's role and its database. The role is no superuser;
# it owns the database, so that it may migrate it, and the extensions that it creates are ones that PostgreSQL trusts.
set -eu
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/database_password)" <<'SQL'
create role irontrack login password :'password';
create database irontrack owner irontrack;
SQL
