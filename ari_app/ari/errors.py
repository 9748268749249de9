"""The errors between us and Asterisk.

AriError
├── AriUnavailable       no connection to Asterisk, or it was lost before the answer
├── AriTimeout           Asterisk did not answer in time: whether it acted is unknown
├── AriOverload          a bounded queue of ours is full
├── AriReplaced          another instance has taken over the application: stop acting
├── AriTooOld            Asterisk is older than we can use
├── AriBadAnswer         an answer that cannot be understood
└── AriHttpError         Asterisk refused the request (any status outside 2xx)
    ├── BadRequest       400
    ├── Unauthorized     401, 403
    ├── NotFound         404  the channel, bridge or playback is gone
    ├── NoSuchResource   404  Asterisk does not know the address: its module is not loaded
    ├── Conflict         409  the id is taken, or the channel is not in the application
    ├── InvalidState     412
    ├── Unprocessable    422
    └── ServerError      5xx

After AriUnavailable and AriTimeout the outcome of a request is unknown; after AriHttpError and
AriOverload it is known that nothing was done.
"""

from __future__ import annotations


class AriError(Exception):
    """The base of all errors of this package. The text says what happened, where, and what to do."""


class AriUnavailable(AriError):
    """There is no connection to Asterisk, or it was lost before the answer came."""


class AriTimeout(AriError):
    """Asterisk did not answer a request in time. Whether it carried the request out is unknown."""


class AriOverload(AriError):
    """A bounded queue is full: requests of a lane, or events that a call has not read."""


class AriReplaced(AriError):
    """Another instance connected with the same application name. This one must stop acting."""


class AriTooOld(AriError):
    """Asterisk is older than the oldest version that we can use."""


class AriBadAnswer(AriError):
    """Asterisk answered with something that cannot be understood."""


class AriHttpError(AriError):
    """Asterisk refused a request. `status` is the HTTP status, `reason` what Asterisk said."""

    remedy = "see Asterisk's log"

    def __init__(self, status: int, reason: str, method: str, uri: str) -> None:
        super().__init__(f"{method} {uri}: Asterisk answered {status} ({reason}); {self.remedy}")
        self.status = status
        self.reason = reason
        self.method = method
        self.uri = uri


class BadRequest(AriHttpError):
    """400: a parameter is wrong. For `addChannel` also: one of the channels is gone."""

    remedy = "check the parameters, and that every channel named is still there"


class Unauthorized(AriHttpError):
    """401 or 403: the user or its password is wrong, or the user may only read."""

    remedy = "check the ARI user and password, and that the user is not read_only (ari.conf)"


class NotFound(AriHttpError):
    """404: the channel, bridge, playback or application does not exist (any more)."""

    remedy = "it has ended, or never was"


class NoSuchResource(AriHttpError):
    """404 for the address itself: no loaded module serves it."""

    remedy = "load the res_ari_* module that serves it (modules.conf)"


class Conflict(AriHttpError):
    """409: the id is taken, or the object is not in a state that allows the request."""

    remedy = "the id is in use, or the channel is not in this application"


class InvalidState(AriHttpError):
    """412: the channel is in a state that does not allow the request."""

    remedy = "the channel is in the wrong state for it"


class Unprocessable(AriHttpError):
    """422: the request was understood, but it is impossible."""

    remedy = "the object named does not fit the request"


class ServerError(AriHttpError):
    """5xx: Asterisk failed. For `originate`: the endpoint does not exist or cannot be reached."""

    remedy = "does the endpoint exist, and is it registered? See Asterisk's log"


_BY_STATUS: dict[int, type[AriHttpError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    412: InvalidState,
    422: Unprocessable,
}


def http_error(status: int, reason: str, method: str, uri: str) -> AriHttpError:
    """The error class for an HTTP status of Asterisk."""
    # Asterisk says "Channel not found" for a channel, and "Resource not found" for an address.
    if status == 404 and reason == "Resource not found":
        return NoSuchResource(status, reason, method, uri)
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else AriHttpError)
    return kind(status, reason, method, uri)
