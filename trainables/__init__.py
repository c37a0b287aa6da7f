"""What is swept: each package has a typed config, a run function, its stages and the networks they train."""
