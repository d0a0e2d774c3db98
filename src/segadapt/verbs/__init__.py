"""The verbs of the command line: their options, and which command does the work."""
