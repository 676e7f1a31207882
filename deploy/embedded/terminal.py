"""Ctrl-C for the demo alone: in a terminal the demo takes the foreground from make.

make would otherwise be interrupted too, and end in failure although the session ended in good order.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def foreground() -> Iterator[None]:
    """Be the terminal's foreground process group, then give it back; does nothing without a terminal."""
    if not sys.stdin or not sys.stdin.isatty() or os.tcgetpgrp(0) != os.getpgrp() or os.getpgrp() == os.getpid():
        yield
        return
    before = os.getpgrp()
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # Suspended in a group of its own, the demo could not be brought back: the shell knows make's group only.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgrp()
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(0, before)
