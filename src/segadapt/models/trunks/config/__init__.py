"""Settings of trunks, without torch; ``names`` lists the networks of a file."""
