"""How Hypothesis searches: at random on a developer's machine, the same way each time in CI and for mutants."""

import os

from hypothesis import Phase, settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("developer", deadline=None)
settings.register_profile(  # `make mutants` asks whether a test fails, thousands of times, and never how
    "mutants",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(
    os.environ.get("CALLRACE_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "developer")
)
