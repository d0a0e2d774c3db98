"""Settings of heads, without torch."""
