"""Snapshots of the sessions' folds, so that a restart reads only what came after the last one."""

import structlog

from services.recorder.core.ledger import Ledger
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.runtime.snapshots import Keeper, Snapshot, Snapshots

_STATE = ("services.recorder.core", "shared.domain", "shared.schemas")
_CODE = ("services.recorder", "shared.domain", "shared.schemas")
_log = structlog.get_logger("recorder.keeping")


def snapshots_of(bus: Bus, settings: Settings) -> Snapshots:
    """Where the recorder keeps its folds."""
    return Snapshots(settings.data_dir / "snapshots" / "recorder" / "sessions.snapshot", bus, _STATE, _CODE)


class Keeping:
    """Keeps the ledger now and then. A snapshot waits until files and database hold all that it stands for.

    So whoever goes on from it gives both what they lack, and they pass over what they have.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._keeper: Keeper | None = None
        self._waiting: Snapshot | None = None

    async def recall(self, secured: int) -> Snapshot:
        """Where to read on when files and database hold everything up to `secured`, and the folds kept there."""
        found = await self._snapshots.load()
        if found is not None and found.sequence > secured:
            _log.warning(
                "snapshot passed over, sessions are read from their start",
                reason=f"it stands for number {found.sequence}, files and database for {secured}",
            )
            found = None
        self._waiting = None
        self._keeper = self._keeper or Keeper(self._snapshots, found.sequence if found else 0)
        return found or Snapshot(secured, ())

    def consider(self, position: int, ledger: Ledger, secured: int) -> None:
        """Keep the ledger, which stands at `position`, if it is time to; files and database stand at `secured`."""
        if self._keeper is None:
            return
        if self._waiting is None and self._keeper.due(position):
            self._waiting = Snapshot(position, ledger.kept())
        if self._waiting is not None and self._waiting.sequence <= secured:
            self._keeper.keep(self._waiting)
            self._waiting = None

    async def finish(self, position: int, ledger: Ledger, secured: int) -> None:
        """Keep the ledger as it stands at the end, unless the database has fallen behind."""
        if self._keeper is not None and 0 < position <= secured:
            await self._keeper.finish(Snapshot(position, ledger.kept()))
