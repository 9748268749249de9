"""Pages from Jinja2's templates. What is written into one is escaped, whoever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from ari_app.domain.basics.clock import iso
from ari_app.web import messages, zones

HERE = Path(__file__).resolve().parent
TEMPLATES, STATIC = HERE / "templates", HERE / "static"


@cache
def environment() -> Environment:
    """The templates. A name that is not given is an error, not an empty text; so is a message that is not there."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "t": messages.text,
        "known": messages.known,
        "language": messages.LANGUAGE,
        "static": static,
    }
    made.filters |= {"second": zones.second, "minute": zones.minute, "iso": iso}
    return made


@cache
def static(name: str) -> str:
    """The address of one of our own files: another one when its content is another."""
    return f"/static/{name}?{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def page(
    template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
) -> HTMLResponse:
    """An answer made from a template in `templates/`."""
    return HTMLResponse(environment().get_template(template).render(**values), status, headers)
