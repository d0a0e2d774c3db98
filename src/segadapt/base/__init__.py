"""What every room may use: sections, class sets, batches, errors, signals, pictures."""
