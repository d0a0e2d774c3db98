"""Networks that judge others: discriminators of maps, of scores and of patches."""
