"""`/api/v1`: what programs ask, and what they may have done. A module a noun, each with its `router`.

Answers are what `callrace NOUN VERB --json` prints (docs/json.md): lists as `{"data": [...], "next": ...}`, or as CSV
where the program accepts that alone. Errors are `problem+json`.
"""
