"""The names that tests of the switch and of the client know the scripted transports by."""

from ari_app.ari.testing.scripted import (
    INFO,
    SETTINGS,
    WHEN,
    WHEN_MS,
    FailingTransport,
    ScriptedStream,
    ScriptedTransport,
    event,
)

__all__ = [
    "INFO",
    "SETTINGS",
    "WHEN",
    "WHEN_MS",
    "FailingTransport",
    "ScriptedStream",
    "ScriptedTransport",
    "event",
]
