"""Publishing a trained model: what of a run, its card, the folder, and the upload."""
