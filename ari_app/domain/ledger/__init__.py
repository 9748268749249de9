"""Money that moves: transfers, and the corrections, bills and payouts made of them."""
