"""One file for each benchmark: what is ours, what is the rival, and how both are made ready."""
