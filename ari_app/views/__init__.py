"""How things are told: as sections, rows, JSON. Pure, over the domain alone."""
