"""Takes a checkpoint from elsewhere into the run."""
