"""Networks and their files: one file per family."""
