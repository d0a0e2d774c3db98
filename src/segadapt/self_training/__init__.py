"""Learning from a teacher's labels: mixing, augmentation, masks, and how far labels are trusted."""
