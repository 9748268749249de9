"""The ledger's transfers, and what they come to."""
