"""A first recipe for somebody's own data: the ``new`` verb."""
