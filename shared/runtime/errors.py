"""How a service may fail. Each message says what happened and what to do about it."""


class LeitstandError(Exception):
    """A failure that is understood; told in one line, without a traceback."""

    exit_status = 1


class SettingsError(LeitstandError):
    """A setting or a session file is wrong; the message names it. Nothing was connected yet."""

    exit_status = 2


class RetryableError(LeitstandError):
    """It did not work within its time, but may work later: the caller decides whether to try again."""


class PoisonError(LeitstandError):
    """One message can't be handled, now or ever: it belongs into the dead letters, and the service goes on."""


class FatalError(LeitstandError):
    """The process can't go on safely; it ends and is started again by whoever watches over it."""


class FencedError(FatalError):
    """Another writer has told facts under our name since we last looked; two of us must not run."""
