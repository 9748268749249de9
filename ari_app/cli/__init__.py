"""The `callrace` command: a module for each noun. It parses words and prints results; it decides nothing."""
