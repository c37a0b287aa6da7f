"""The kinds of place that artifacts lie in: a directory, or a bucket with a cache on every node."""
