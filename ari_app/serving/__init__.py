"""What every program that answers calls needs: the marketplace in force, caps, callers, capacity, ids."""
