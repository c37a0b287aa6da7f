"""Trainables: each package but `common` is one, with a typed config, an experiment and its stages."""
