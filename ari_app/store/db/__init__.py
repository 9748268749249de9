"""The database: connections, tables, the meaning of its errors; and files that are complete or not there at all."""
