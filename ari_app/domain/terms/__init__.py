"""What a call comes to under its campaign's terms."""
