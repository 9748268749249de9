"""Reports: their columns, and how they are told as rows, JSON, CSV and pictures."""
