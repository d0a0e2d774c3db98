"""The engine: the one training loop, the one evaluation loop, and what they need."""
