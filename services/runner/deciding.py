"""Which code decides in a session."""

from shared.runtime.code import code_digest

DECIDING = (
    "services.runner.core",
    "services.runner.strategies",
    "services.runner.conduct",
    "services.runner.course",
    "shared.domain",
    "shared.schemas",
    "shared.venues.paper",
)
"""Where the runner's decisions are made; the shell around it only carries them out."""


def core_digest() -> str:
    """The fingerprint of the code that decides, as `runner_start` tells it."""
    return code_digest(*DECIDING)
