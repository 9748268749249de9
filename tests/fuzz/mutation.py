"""Inputs made of good ones: a few characters taken out, put in, or repeated. Most mistakes are near the truth."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

MOST_EDITS = 5
LONGEST_CUT = 40


@st.composite
def edited(draw: st.DrawFn, good: st.SearchStrategy[str], tokens: Sequence[str]) -> str:
    """A good text with some edits; `tokens` are what is put in, beside anything at all."""
    text = draw(good)
    pieces = st.one_of(st.sampled_from(tokens), st.text(max_size=8))
    for _ in range(draw(st.integers(0, MOST_EDITS))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, LONGEST_CUT))
        removed = text[at : at + cut]
        put_in = draw(st.one_of(st.just(""), st.just(2 * removed), pieces))
        text = text[:at] + put_in + text[at + cut :]
    return text
