"""Networks as files: our own checkpoints and translators, and the published ones."""
