-- Who may do what. A login gets its rights by being a member of one of these groups:
--     CREATE USER ingester IN ROLE car_ingest PASSWORD ...
-- Roles belong to the whole server, so they may be there already, or be made by someone else
-- where the owner of this database may not make roles.
DO $$
DECLARE missing text;
BEGIN
    FOREACH missing IN ARRAY ARRAY['car_ingest', 'car_pipeline', 'car_reader'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = missing);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', missing);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- another database was faster
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing and % may not make it', missing, current_user
                    USING HINT = 'let someone who may: CREATE ROLE ' || missing || ' NOLOGIN';
        END;
    END LOOP;
END $$;

GRANT SELECT ON public.migrations TO car_ingest, car_pipeline, car_reader;

-- The ingester adds what came, and moves the offsets.
GRANT USAGE ON SCHEMA bronze, silver, quarantine TO car_ingest;
GRANT SELECT, INSERT ON bronze.events, silver.classes, silver.frames, silver.labels,
    silver.predictions, quarantine.items TO car_ingest;
GRANT SELECT, INSERT, UPDATE ON bronze.offsets TO car_ingest;

-- Pipelines read what it means, freeze it, and keep the registry. How far ingestion is, they
-- may know, but not what came.
GRANT USAGE ON SCHEMA bronze, silver, gold, registry, quarantine TO car_pipeline;
GRANT SELECT ON bronze.offsets TO car_pipeline;
GRANT SELECT ON ALL TABLES IN SCHEMA silver, gold, registry, quarantine TO car_pipeline;
GRANT INSERT ON silver.splits, silver.shards TO car_pipeline;
GRANT INSERT ON registry.versions, registry.decisions, registry.submissions, registry.audit
    TO car_pipeline;
GRANT UPDATE (compared_with) ON registry.versions TO car_pipeline;
GRANT INSERT, UPDATE, DELETE ON registry.aliases TO car_pipeline;
GRANT INSERT, UPDATE ON registry.outcomes TO car_pipeline;

-- People and their tools read.
GRANT USAGE ON SCHEMA silver, gold, registry TO car_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA silver, gold, registry TO car_reader;

-- Waits for every transaction that has written a prediction: what is seen then has no holes.
-- Locking a table takes the right to change it, which pipelines do not have.
CREATE FUNCTION silver.settle_predictions() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'LOCK TABLE silver.predictions IN SHARE MODE';
REVOKE ALL ON FUNCTION silver.settle_predictions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION silver.settle_predictions() TO car_pipeline;
