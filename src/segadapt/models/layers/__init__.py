"""Building blocks of trunks and heads."""
