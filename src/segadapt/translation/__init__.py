"""Translation of source images to the look of the target."""
