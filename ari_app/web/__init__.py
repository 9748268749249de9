"""Portals and API over HTTP: what a browser or a program asks, told by the desk's use cases and by views.

`app.py` puts the parts together. `guard.py` stands before all of them: what is refused before anybody looks at it, and
what each answer carries. Its rules are pure functions, a module an idea: `origin`, `headers`, `limits`. An error
becomes an answer in `errors.py`, by the tables of `problems.py`. `who.py` finds who asks. `api/` has the routers of
`/api/v1`, a module a noun; `pages/` has those of the portals. A handler is a plain function, run in a thread, as use
cases wait for the database; only what streams is `async`.
"""
