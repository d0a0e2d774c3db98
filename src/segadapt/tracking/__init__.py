"""Other programs that show a run: each follows what the run writes into its own folder."""
