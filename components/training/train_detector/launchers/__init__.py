"""Launch workers: as local processes, or as pods of a TFJob or TrainJob."""
