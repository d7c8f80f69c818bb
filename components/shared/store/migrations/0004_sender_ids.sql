-- A sender's `source` and `id` identify an event (CloudEvents 1.0.2); event_id stays the digest
-- of its type and content, so equal content is stored once.
ALTER TABLE bronze.events
    ADD COLUMN sender_id  text,  -- NULL: the sender's id is event_id, as our own senders have it
    ADD COLUMN extensions jsonb, -- extension attributes of the envelope; NULL: there are none
    ALTER COLUMN time DROP NOT NULL; -- optional in CloudEvents
CREATE UNIQUE INDEX events_sender_key ON bronze.events (source, sender_id)
    WHERE sender_id IS NOT NULL;

-- A topic that was deleted and created again uses the same offsets for other messages, so a
-- place in a stream is no key.
ALTER TABLE bronze.events DROP CONSTRAINT events_pkey;

-- An event_id is unique in bronze.events and written with it in one transaction, so further
-- indexes of it are only time and space; a sequence makes a small key that grows at its end.
ALTER TABLE silver.frames DROP CONSTRAINT frames_event_id_key;
ALTER TABLE silver.labels DROP CONSTRAINT labels_pkey, ADD PRIMARY KEY (sequence);
ALTER TABLE silver.predictions
    DROP CONSTRAINT predictions_pkey,
    DROP CONSTRAINT predictions_sequence_key,
    ADD PRIMARY KEY (sequence);

-- In the binary content mode the attributes of an event are headers of the message.
ALTER TABLE quarantine.items
    ADD COLUMN headers json; -- [name, value in base64] each; NULL: there were none
