"""`python -m deploy.embedded.stored MODULE ARGUMENT…`: a service's command on what an embedded stack has stored.

While the stack runs, or where NATS_URL names a bus, that bus is used; otherwise the embedded NATS server is started on
DATA_DIR for as long as the command takes.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.endpoints import OccupiedError, sole_use
from deploy.embedded.keeping import python
from deploy.embedded.nats_server import NatsServerError, start_nats
from shared.runtime.errors import LeitstandError, SettingsError
from shared.runtime.settings import load_settings


def main(command: Sequence[str]) -> int:
    """Run `command`, the arguments of `python -m`; answers its exit status."""
    try:
        data_dir = load_settings().data_dir.resolve()
        if "NATS_URL" in os.environ or (data_dir / "run" / "endpoints.json").exists():
            return _run(command, {})
        return _with_own_server(command, data_dir)
    except (LeitstandError, NatsServerError, OccupiedError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_status", 1)
    except KeyboardInterrupt:
        return 130


def _with_own_server(command: Sequence[str], data_dir: Path) -> int:
    store = data_dir / "nats"
    if not (store / "jetstream").exists():
        raise SettingsError(f"nothing is stored in {data_dir}; trade a session first: make demo")
    with sole_use(data_dir / "run"), start_nats(store) as server:
        return _run(command, {"NATS_URL": server.url, "DATA_DIR": str(data_dir)})


def _run(command: Sequence[str], settings: dict[str, str]) -> int:
    return subprocess.run([*python("-m"), *command], env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
