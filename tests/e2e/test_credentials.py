"""Keys and secrets are in the environment and nowhere else: no log, event, metric, page, file or repr holds them."""

import re
import urllib.request
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.runtime.settings import Settings
from shared.venues import alpaca, binance
from tests.trials.binance import Trial
from tests.trials.storm import faults
from tests.venues.binance.account import KEY, SECRET

CREDENTIALS = (KEY, SECRET)


async def test_a_session_in_trouble_leaves_its_credentials_in_no_log_event_metric_or_file(tmp_path: Path) -> None:
    pages: list[bytes] = []

    async def look(trial: Trial, minute: int) -> None:
        if minute % 10 == 5:
            pages.extend(_pages(trial.folder / "data" / "run"))

    trial = Trial(tmp_path, 40, patience=1.0, trouble=look, faults=faults(0.03, seed=4))
    await trial.run()
    assert trial.faults.drawn.total() > 20
    assert len(pages) >= 4
    assert all(secret.encode() not in page for page in pages for secret in CREDENTIALS)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"runner.log", "risk.log"} <= {path.name for path in files}
    found = [path for path in files if any(secret.encode() in path.read_bytes() for secret in CREDENTIALS)]
    assert found == []
    assert not any(re.search(rb"signature=[0-9a-f]{20}", path.read_bytes()) for path in files), "a signed request"


def _pages(run: Path) -> list[bytes]:
    addresses = [path.read_text().strip() for path in run.glob("metrics-*.url")]
    return [
        urllib.request.urlopen(f"{address}/{page}", timeout=5).read()
        for address in addresses
        for page in ("metrics", "healthz", "readyz")
    ]


def test_no_repr_of_settings_or_access_shows_a_credential() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert len(secrets) > 10
    hidden: dict[str, Any] = dict.fromkeys(secrets, SecretStr("hidden")) | {"nats_url": "nats://me:hidden@host"}
    settings = Settings.model_construct(**hidden)
    shown = [settings, binance.Access(True, "hidden", "hidden"), alpaca.Access(True, "hidden", "hidden")]
    assert not any("hidden" in repr(each) + str(each) for each in shown)
