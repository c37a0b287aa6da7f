"""The commands, one module for each kind. Everything heavy is imported inside the command that needs it."""
