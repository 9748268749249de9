"""Callrace: a pay-per-call exchange on a self-hosted Asterisk."""
