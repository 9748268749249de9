"""The marketplace in force, its parties, its numbers."""
