"""Training loop, optimiser, checkpoints and synchronisation of one worker."""
