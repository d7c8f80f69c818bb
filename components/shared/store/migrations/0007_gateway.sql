-- The gateway: who may call it, and what it answered to requests that may come again.
CREATE SCHEMA gateway;

CREATE TABLE gateway.api_keys (
    key_id              text        PRIMARY KEY, -- the public part of a key
    name                text        NOT NULL,    -- camera, program or person
    roles               text[]      NOT NULL,
    datasets            text[]      NOT NULL,    -- empty: all
    secret_sha256       text        NOT NULL,    -- the secret has 256 random bits
    requests_per_minute integer     NOT NULL,
    max_body_bytes      bigint      NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz,
    revoked_at          timestamptz
);

CREATE TABLE gateway.responses (
    key_id          text        NOT NULL REFERENCES gateway.api_keys,
    idempotency_key text        NOT NULL,
    request_sha256  text        NOT NULL, -- of method, path, query and body
    status          integer,              -- NULL: the request is being answered
    content         bytea,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, idempotency_key)
);
CREATE INDEX ON gateway.responses (created_at);

-- Pages of a query go on after the last row of the one before, so the order has no ties.
ALTER TABLE silver.predictions ADD COLUMN max_score double precision; -- NULL: no boxes
UPDATE silver.predictions SET max_score =
    (SELECT max((box ->> 'score')::double precision) FROM jsonb_array_elements(boxes) AS box);
CREATE INDEX ON silver.predictions (dataset, predicted_at DESC, sequence DESC);
CREATE INDEX ON silver.predictions (dataset, camera, predicted_at DESC, sequence DESC);
CREATE INDEX ON silver.predictions (dataset, model, predicted_at DESC, sequence DESC);
CREATE INDEX ON silver.predictions (dataset, max_score);
CREATE INDEX ON silver.predictions (dataset, request_id);
CREATE INDEX ON silver.frames (dataset, captured_at DESC, sha256 DESC);
CREATE INDEX ON silver.frames (dataset, camera, captured_at DESC, sha256 DESC);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'car_gateway') THEN
        CREATE ROLE car_gateway NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- another database was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role car_gateway is missing and % may not make it', current_user
            USING HINT = 'let someone who may: CREATE ROLE car_gateway NOLOGIN';
END $$;

GRANT SELECT ON public.migrations TO car_gateway;
GRANT USAGE ON SCHEMA silver, gold, registry, gateway TO car_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA silver, gold, registry, gateway TO car_gateway;
GRANT INSERT, UPDATE, DELETE ON gateway.responses TO car_gateway;
