"""One call: its record, where its caller is, and what becomes of both."""
