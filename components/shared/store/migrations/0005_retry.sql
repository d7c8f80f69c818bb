-- A frame whose bytes were missing is taken out of quarantine once they are there.
GRANT DELETE ON quarantine.items TO car_ingest;
