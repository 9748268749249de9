"""The `callrace` command: a module per noun; parses and prints, decides nothing."""
