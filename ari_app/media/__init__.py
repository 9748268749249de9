"""Prompts and creatives as files."""
