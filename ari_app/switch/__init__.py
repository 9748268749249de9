"""Runs calls: turns ARI events into domain events, and domain commands into ARI requests."""
