"""How to reach an Asterisk, and how much of it to use."""

from __future__ import annotations

from dataclasses import dataclass, field

from ari_app.ari.events import DEFAULT_EVENTS, EVENT_TYPES


@dataclass(frozen=True, slots=True)
class AriSettings:
    """Where Asterisk's HTTP server is, and how to use it.

    `app` is the Stasis application; its request lanes connect as `{app}-lane-0` and so on, so only one instance can run
    under a name. `events` are the only types of event that Asterisk will send. Raises ValueError for a setting that
    cannot work.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    app: str = "callrace"
    lanes: int = 8
    events: tuple[str, ...] = DEFAULT_EVENTS
    request_timeout_s: float = 5.0
    connect_timeout_s: float = 5.0
    heartbeat_s: float = 3.0
    lane_limit: int = 256  # requests of one lane under way at once
    inbox_limit: int = 1000  # events of one call not yet read

    def __post_init__(self) -> None:
        unknown = [name for name in self.events if name not in EVENT_TYPES]
        if unknown:
            raise ValueError(f"events: {', '.join(unknown)} not known; known are {', '.join(EVENT_TYPES)}")
        if self.lanes < 1:
            raise ValueError(f"lanes: {self.lanes} is too few; at least 1")

    @property
    def url(self) -> str:
        """The URL under which Asterisk serves ARI."""
        return f"http://{self.host}:{self.port}/ari"
