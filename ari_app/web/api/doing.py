"""What changes something: POST, done once however often it is sent; and edits, of what is as the asker knows it."""

# No `from __future__ import annotations`: FastAPI could not read those of `does`, which name what is local there.

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from ari_app.desk.checked import invalid
from ari_app.desk.once import once
from ari_app.web.api.answers import JSON, Thing, etag, tags
from ari_app.web.who import Asked, by

HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Doing:
    """A request that changes something, by somebody who may; `body` is all that it says."""

    asked: Asked
    body: bytes

    def once(self, noun: str, do: Callable[[], Thing], status: int = 200) -> Response:
        """Does it and tells what came of it, a thing of this noun; or tells it again, if it was done before.

        Raises Refused, also without an Idempotency-Key, and what `do` raises.
        """
        request, lens = self.asked.request, self.asked.lens
        key = request.headers.get(HEADER)
        if key is None:
            raise invalid(
                HEADER, "expected a name for this request, such as a UUID: with it, it is done once"
            )
        sent = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + self.body

        def told() -> dict[str, Any]:
            return {"status": status, "thing": lens.shown(noun, do())}

        done = once(self.asked.site, str(self.asked.actor), key, sent, told)
        thing = done.answer["thing"]
        headers = {"etag": etag(thing)} | ({"idempotency-replayed": "true"} if done.is_replayed else {})
        return Response(orjson.dumps(thing), done.answer["status"], headers, JSON)

    def is_known(self, noun: str) -> Callable[[Thing], bool] | None:
        """Whether a thing is still as the asker knows it (If-Match); None: they do not say."""
        said = self.asked.request.headers.get("if-match")
        if said is None:
            return None
        known = tags(said)
        return lambda thing: "*" in known or etag(self.asked.lens.shown(noun, thing)) in known


def does(use_case: str) -> Callable[[Asked, bytes], Doing]:
    """The dependency of a route that changes something: the use case that it asks by, see `by`."""
    ask = by(use_case)

    def doing(asked: Annotated[Asked, Depends(ask)], body: Annotated[bytes, Depends(_body)]) -> Doing:
        return Doing(asked, body)

    return doing


async def _body(request: Request) -> bytes:
    return await request.body()
