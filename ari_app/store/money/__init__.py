"""Bills, payouts, refunds, disputes, conversions: everything about money after a call."""
