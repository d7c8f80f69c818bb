-- A topic that was deleted and created again, or set back with its broker, begins again at
-- offset 0: its messages are other ones under the same numbers. So each such beginning is a
-- generation of its own, and has its own name in the column `stream` of the tables of bronze.
CREATE TABLE bronze.generations (
    stream   text        NOT NULL, -- as KAFKA_STREAM_ID or the cluster's id names it
    topic    text        NOT NULL,
    number   integer     NOT NULL,
    name     text        NOT NULL, -- the value of `stream` in bronze.offsets and bronze.events
    topic_id uuid,                 -- Kafka's own, from 2.8 on
    reason   text        NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, topic, number)
);

-- The last message that was stored of a partition. Where another one lies at its place, the
-- broker was restored from a backup and has written over what came after it.
ALTER TABLE bronze.offsets
    ADD COLUMN last_offset bigint,
    ADD COLUMN last_digest bytea; -- SHA-256 of the message's value

-- The running ingesters, which divide the partitions among themselves. One that has not been
-- seen for some seconds, or whose session has ended, is not counted.
CREATE TABLE bronze.ingesters (
    stream   text        NOT NULL,
    ingester text        NOT NULL,
    backend  integer     NOT NULL, -- process id of its session in PostgreSQL
    seen_at  timestamptz NOT NULL,
    PRIMARY KEY (stream, ingester)
);

GRANT SELECT, INSERT, UPDATE ON bronze.generations TO car_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON bronze.ingesters TO car_ingest;
GRANT SELECT ON bronze.generations, bronze.ingesters TO car_pipeline;
