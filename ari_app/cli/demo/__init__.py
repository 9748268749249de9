"""`callrace demo`: real calls through a real Asterisk, in the demo's own lab."""

from ari_app.cli.demo.command import demo

__all__ = ["demo"]
