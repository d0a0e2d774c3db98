"""What a run on a million images costs: what grows with their number, and what each one costs."""
