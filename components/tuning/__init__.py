"""Jobs that search hyperparameters (settings) by successive halving."""
