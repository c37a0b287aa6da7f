"""A trainable that costs next to nothing: a chain of hashes, a branch for every kind, a sum."""
