"""Runs calls: turns ARI events into events of the domain, and commands of the domain into ARI requests."""
