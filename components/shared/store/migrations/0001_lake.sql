-- The lake: bronze is what came, silver is what it means, gold is what people and training
-- read, quarantine is what could not be understood, registry is what was decided.
CREATE SCHEMA bronze;
CREATE SCHEMA silver;
CREATE SCHEMA gold;
CREATE SCHEMA quarantine;
CREATE SCHEMA registry;

-- Where each partition of each stream goes on. Locked before anything else in a transaction,
-- so that two ingesters of one partition can never both store a message.
CREATE TABLE bronze.offsets (
    stream      text    NOT NULL, -- the Kafka cluster's id
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (stream, topic, partition)
);

CREATE TABLE bronze.events (
    stream      text        NOT NULL,
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    "offset"    bigint      NOT NULL,
    event_id    text        NOT NULL UNIQUE,
    type        text        NOT NULL,
    source      text        NOT NULL,
    time        timestamptz NOT NULL,
    data        jsonb       NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, topic, partition, "offset")
);

-- What could not be read or used. A message is known by its place in the stream, a file
-- that a sender refused by the id of the event that says so.
CREATE TABLE quarantine.items (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe_key  text        NOT NULL UNIQUE,
    dataset     text,
    source_name text        NOT NULL, -- topic/partition/offset, or the file and line
    reason      text        NOT NULL,
    detail      text        NOT NULL,
    uri         text,                 -- the bytes, when they are in the object store
    message     bytea,                -- the bytes, when they came through the stream
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON quarantine.items (dataset, reason);

CREATE TABLE silver.classes (
    dataset  text    NOT NULL,
    label    text    NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (dataset, label),
    UNIQUE (dataset, position)
);

CREATE TABLE silver.frames (
    dataset     text        NOT NULL,
    sha256      text        NOT NULL,
    uri         text        NOT NULL,
    width       integer     NOT NULL,
    height      integer     NOT NULL,
    size_bytes  bigint      NOT NULL,
    camera      text        NOT NULL,
    captured_at timestamptz NOT NULL,
    source_name text        NOT NULL,
    group_name  text        NOT NULL,
    split       text        CHECK (split IN ('train', 'validation', 'test')),
    event_id    text        NOT NULL UNIQUE,
    PRIMARY KEY (dataset, sha256)
);

CREATE TABLE silver.labels (
    event_id    text        PRIMARY KEY,
    dataset     text        NOT NULL,
    sha256      text        NOT NULL,
    boxes       jsonb       NOT NULL,
    labelled_by text        NOT NULL,
    tool        text        NOT NULL,
    labelled_at timestamptz NOT NULL,
    sequence    bigint GENERATED ALWAYS AS IDENTITY -- of two labels of one instant the later counts
);
CREATE INDEX ON silver.labels (dataset, sha256, labelled_at DESC, sequence DESC);

CREATE TABLE silver.predictions (
    sequence     bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- the watermark of windows
    event_id     text        PRIMARY KEY,
    dataset      text        NOT NULL,
    sha256       text        NOT NULL,
    request_id   text        NOT NULL,
    camera       text        NOT NULL,
    model        text        NOT NULL,
    width        integer     NOT NULL,
    height       integer     NOT NULL,
    boxes        jsonb       NOT NULL,
    latency_ms   double precision NOT NULL,
    predicted_at timestamptz NOT NULL
);
CREATE INDEX ON silver.predictions (dataset, sequence);

-- The split of a group never moves once it is assigned.
CREATE TABLE silver.splits (
    dataset    text NOT NULL,
    group_name text NOT NULL,
    split      text NOT NULL CHECK (split IN ('train', 'validation', 'test')),
    PRIMARY KEY (dataset, group_name)
);

-- Where the bytes of an image lie, packed once and shared by all snapshots.
CREATE TABLE silver.shards (
    sha256 text   PRIMARY KEY,
    shard  text   NOT NULL,
    "offset" bigint NOT NULL,
    length bigint NOT NULL
);

-- The newest label of each frame that has one: what training learns from.
CREATE VIEW gold.labelled_frames AS
SELECT DISTINCT ON (frames.dataset, frames.sha256)
    frames.*, labels.boxes, labels.labelled_by, labels.labelled_at
FROM silver.frames JOIN silver.labels USING (dataset, sha256)
ORDER BY frames.dataset, frames.sha256, labels.labelled_at DESC, labels.sequence DESC;

-- Each served frame with its answer: what drift and accuracy are measured on.
CREATE VIEW gold.served_frames AS
SELECT predictions.*, frames.uri, frames.captured_at
FROM silver.predictions JOIN silver.frames USING (dataset, sha256);

CREATE TABLE registry.versions (
    dataset     text        NOT NULL,
    version     integer     NOT NULL,
    model       text        NOT NULL, -- digest of the package
    uri         text        NOT NULL, -- folder in the object store, a `RegisteredLayout`
    snapshot    text        NOT NULL,
    lineage     jsonb       NOT NULL,
    metrics     jsonb       NOT NULL,
    reason      text        NOT NULL,
    compared_with text,               -- the champion it was compared with, if there was one
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset, version),
    UNIQUE (dataset, model)
);

CREATE TABLE registry.aliases (
    dataset  text    NOT NULL,
    alias    text    NOT NULL CHECK (alias IN ('champion', 'challenger', 'previous')),
    version  integer NOT NULL,
    PRIMARY KEY (dataset, alias),
    FOREIGN KEY (dataset, version) REFERENCES registry.versions
);

CREATE TABLE registry.decisions (
    window_id  text        PRIMARY KEY,
    dataset    text        NOT NULL,
    until      bigint      NOT NULL, -- the watermark the next window begins after
    retrain    boolean     NOT NULL,
    reason     text        NOT NULL,
    facts      jsonb       NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);

-- One training for one reason to train, however often it is asked for.
CREATE TABLE registry.submissions (
    window_id    text        PRIMARY KEY REFERENCES registry.decisions,
    dataset      text        NOT NULL,
    command      text        NOT NULL, -- what starts it
    submitted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE registry.outcomes (
    run_id      text        PRIMARY KEY,
    pipeline    text        NOT NULL,
    state       text        NOT NULL,
    reason      text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- Append only: nobody, not even the owner, rewrites what happened.
CREATE TABLE registry.audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    dataset text        NOT NULL,
    action  text        NOT NULL, -- registered, promoted, rolled_back
    model   text        NOT NULL,
    detail  jsonb       NOT NULL
);

CREATE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.audit
    FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bronze.events
    FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
