"""The marketplace as YAML: read, checked, compared."""
