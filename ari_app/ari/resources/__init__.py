"""Asterisk's resources, one module each, with the operation names of Asterisk's own API."""
