"""Settings of trunks, without torch; a trunk that has none has no file here."""
