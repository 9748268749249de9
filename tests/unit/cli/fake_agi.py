"""A program that looks like an AGI server to the CLI: it holds the lock and takes connections."""

from __future__ import annotations

import signal
import socket
import sys

from ari_app.serving.running import only
from ari_app.settings import Settings


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    settings = Settings.from_env()
    with only(settings, "agi"), socket.create_server(("127.0.0.1", settings.agi_port)) as server:
        while True:
            server.accept()[0].close()


if __name__ == "__main__":
    main()
