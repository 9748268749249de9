"""Bills, payouts, refunds, disputes, conversions: what moves money after a call."""
