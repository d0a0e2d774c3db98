"""Labels images with a checkpoint's most probable classes."""
