"""How calls, reports, bills, flows and the board are shown: as sections, rows, JSON, CSV, PDF, PNG. Pure functions."""
