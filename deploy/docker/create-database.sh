#!/bin/sh
# Run once by the PostgreSQL image, on a new cluster: the owner of the database, and the database. The owner is no
# superuser; it migrates, makes extensions that PostgreSQL trusts, and makes the role that the workers run as (`prepare`).
set -eu
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/owner_password)" <<'SQL'
create role irontrack login createrole password :'password';
create database irontrack owner irontrack;
SQL
