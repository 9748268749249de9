"""What an error of a database means: this row can never be saved, or the database cannot save it now.

PostgreSQL says it by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), SQLite's driver by
the class of its errors. An error that is not known to come from the data is tried again. To refuse a call for good by
mistake makes work for somebody; to try again by mistake only raises an alert.
"""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

# Values out of range or unreadable, broken constraints, a value of the wrong type, what our triggers refuse.
_OF_THE_DATA = ("22", "23", "42804", "P0001")
_DEADLOCK, _NOT_SERIAL = "40P01", "40001"
_UNDEFINED_TABLE, _UNDEFINED_COLUMN = "42P01", "42703"
_NOT_THERE = ("no such table", "no such column", "has no column named")  # SQLite's words


def is_of_the_data(error: DBAPIError) -> bool:
    """Whether this was refused because of the data, and always will be."""
    sqlstate = getattr(error.orig, "pgcode", None)
    if sqlstate is not None:
        return bool(sqlstate.startswith(_OF_THE_DATA))
    if isinstance(error, DataError | IntegrityError):
        return True
    # The driver itself cannot write down such a value: "can't adapt type", "Error binding parameter".
    words = str(error.orig)
    return isinstance(error, ProgrammingError | InterfaceError) and ("adapt" in words or "binding" in words)


def is_of_the_moment(error: DBAPIError) -> bool:
    """Whether others changed the same rows at this moment, and the database undid this transaction."""
    return getattr(error.orig, "pgcode", None) in (_DEADLOCK, _NOT_SERIAL)


def is_of_the_tables(error: DBAPIError) -> bool:
    """Whether a table or a column is missing: the database was never upgraded, or is another version's."""
    if getattr(error.orig, "pgcode", None) in (_UNDEFINED_TABLE, _UNDEFINED_COLUMN):
        return True
    return any(words in str(error.orig) for words in _NOT_THERE)
