"""Calls: saved once, and kept in files until they are."""
