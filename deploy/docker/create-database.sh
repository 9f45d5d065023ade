#!/bin/sh
# The PostgreSQL image runs this once, on a new cluster. It creates the database and its owner, which is not a superuser:
# the owner migrates, creates trusted extensions, and creates the role of the workers (`prepare`).
set -eu
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/owner_password)" <<'SQL'
create role irontrack login createrole password :'password';
create database irontrack owner irontrack;
SQL
