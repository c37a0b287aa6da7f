"""sweeper: one YAML file to a finished ablation table.

A continual run is a plain function that calls stages; a stage is a pure function from its own parameters
and inputs to an artifact; the artifact's address is the hash of exactly those. What agrees is done once.
"""

__version__ = "0.1.0"
