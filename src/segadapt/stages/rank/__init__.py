"""Orders a target's images by entropy and splits them."""
