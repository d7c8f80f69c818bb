#!/bin/sh
# Run by the image once, on an empty volume: a login for ingestion and one for pipelines, each
# in the group whose rights a migration grants.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set ingest="$INGEST_PASSWORD" --set pipeline="$PIPELINE_PASSWORD" <<'SQL'
CREATE ROLE car_ingest NOLOGIN;
CREATE ROLE car_pipeline NOLOGIN;
CREATE ROLE car_reader NOLOGIN;
CREATE ROLE car_gateway NOLOGIN;
CREATE USER ingest IN ROLE car_ingest PASSWORD :'ingest';
CREATE USER pipeline IN ROLE car_pipeline PASSWORD :'pipeline';
SQL
