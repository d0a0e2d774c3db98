"""Settings of methods, without torch: a recipe is read at once."""
