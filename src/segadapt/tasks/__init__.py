"""Tasks: how a network's output becomes losses and probability maps."""
