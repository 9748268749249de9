"""What every program that answers calls holds: the market in force, caps, callers, capacity, ids."""
