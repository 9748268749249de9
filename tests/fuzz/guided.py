"""`python -m tests.fuzz.guided TARGET FOLDER SECONDS`: one target; atheris steers its inputs to code not reached yet.

Ends with libFuzzer's exit code, which is not 0 when an input broke something; FOLDER has that input then. A program
of its own, as libFuzzer ends the process that it runs in.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agi", "ari_app"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS

LONGEST = 20_000  # bytes
SLOWEST_S = 5


def main(name: str, folder: Path, seconds: int) -> None:
    """Does not come back."""
    target = TARGETS[name]
    logging.disable()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "good").write_text(target.good)
    words = folder / "tokens"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": SLOWEST_S,
        "dict": words,
        "artifact_prefix": f"{folder}/",
        "verbosity": 0,
        "print_final_stats": 1,
    }
    atheris.Setup(
        [sys.argv[0], str(corpus), *(f"-{option}={value}" for option, value in options.items())],
        lambda data: target.check(target.of(data)),
    )
    atheris.Fuzz()


def _escaped(token: str) -> str:
    """A token as libFuzzer's dictionaries have it; of a long one the beginning."""
    return "".join(f"\\x{byte:02x}" for byte in token.encode()[:60])


main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
