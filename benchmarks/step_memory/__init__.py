"""Peak memory of a training step, counted on tensors that have sizes and no content."""
