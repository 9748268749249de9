"""Limits: what a call must have reserved before it is offered."""
