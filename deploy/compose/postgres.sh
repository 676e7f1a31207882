#!/bin/sh
# Makes the database's two passwords on the first start, so that the repository holds none, and starts the server.
# /run/database-owner is shared with the recorder alone, /run/database-reader with Grafana alone.
set -eu

new_password() { head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_'; }

# keep FILE TEXT: written aside and renamed, so that a start cut short leaves no half of it.
keep() {
    printf '%s' "$2" >"$1.new"
    chmod 0444 "$1.new"
    mv "$1.new" "$1"
}

if [ ! -s /run/database-owner/password ]; then
    if [ -s "$PGDATA/PG_VERSION" ]; then
        echo "The database exists, but the volume with its passwords is gone." >&2
        echo "The stream holds every event: remove the volume postgres-data, start again, then rebuild with" >&2
        echo "  docker compose run --rm recorder rebuild" >&2
        exit 1
    fi
    keep /run/database-reader/password "$(new_password)"
    owner=$(new_password)
    keep /run/database-owner/url "postgresql://$POSTGRES_USER:$owner@postgres:5432/$POSTGRES_DB"
    keep /run/database-owner/password "$owner"
fi

exec docker-entrypoint.sh "$@"
