"""`callrace demo`: real calls through a real Asterisk, on a lab of the demo's own."""

from ari_app.cli.demo.command import demo

__all__ = ["demo"]
