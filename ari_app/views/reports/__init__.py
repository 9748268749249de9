"""Reports: their columns, and their forms: rows, JSON, CSV and pictures."""
