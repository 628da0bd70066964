# shellcheck shell=bash disable=SC2154
# The users that ci/with-postgres lists, and their authentication methods. Reads $data, $folder, $log, $port and $psql.

say_who_may_connect() { # before the server starts
  cat >"$data/pg_hba.conf" <<HBA
local   all,replication all                  trust
host    all sluice,trust_user       samehost trust
host    all scram_user,sasl_user    samehost scram-sha-256
host    all md5_user                samehost md5
host    all clear_user              samehost password
hostnossl all plain_user            samehost trust
hostssl all tls_user                samehost scram-sha-256
hostssl all cert_user               samehost cert
HBA
}

# Once the server runs.
make_roles() {
  "$psql" -XqAt -v ON_ERROR_STOP=1 -h "$folder" -p "$port" -U sluice -d postgres >>"$log" 2>&1 9>&- <<'SQL' \
    || fail "cannot create the roles: $(tail "$log")"
create database sluice;
create role trust_user login;
create role plain_user login;
create role cert_user login;
create role scram_user login password 'secret';
create role clear_user login password 'secret';
create role tls_user login password 'secret';
create role sasl_user login password U&'secret\00AA\2168';
set password_encryption = 'md5';
create role md5_user login password 'secret';
SQL
}
