-- A reviewer's verdict on one answer: what was wrong with it, and the boxes as they are right.
-- The boxes are a row of silver.labels too, with the same event_id.
CREATE TABLE silver.corrections (
    sequence     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     text        NOT NULL,
    dataset      text        NOT NULL,
    sha256       text        NOT NULL,
    request_id   text        NOT NULL, -- of the answer in silver.predictions
    model        text,
    faults       text[]      NOT NULL, -- empty: the answer was right
    boxes        jsonb       NOT NULL,
    corrected_by text        NOT NULL,
    corrected_at timestamptz NOT NULL
);
CREATE INDEX ON silver.corrections (dataset, sha256);
CREATE INDEX ON silver.corrections (dataset, request_id);

GRANT SELECT, INSERT ON silver.corrections TO car_ingest;
GRANT SELECT ON silver.corrections TO car_pipeline, car_reader;
