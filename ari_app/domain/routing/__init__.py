"""Whose call it is, whether it is taken, whom to ring, and who wins it."""
