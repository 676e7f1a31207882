"""The settings of CONTRACT section 2: from the environment, from `.env`, or from files named by `<NAME>_FILE`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as validates_together

from shared.runtime.errors import SettingsError
from shared.runtime.settings_sources import gathered
from shared.schemas.values import Mode

ACKNOWLEDGEMENT = "I_UNDERSTAND"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise ValueError("must be an origin such as https://api.example.com")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin only, without user, path or query")
    return f"{parts.scheme}://{parts.netloc}"


def _nats_url(urls: str) -> str:
    for url in urls.split(","):
        parts = urlsplit(url)
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise ValueError("must be a URL such as nats://127.0.0.1:4222, or several, separated by commas")
    return urls


def _database_url(url: str) -> str:
    if urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise ValueError("must be a URL such as postgresql://user@127.0.0.1:5432/leitstand")
    return url


def _credentials(value: str) -> str:
    if "BEGIN NATS USER JWT" in value:
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"must be a credentials file that can be read: {error.strerror}") from None


def _upper(value: str) -> str:
    return value.upper()


Origin = Annotated[str, AfterValidator(_origin)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """Every setting, by its name in lower case. Secrets and URLs that may carry one never show in a repr."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dry_run: bool = True
    live_trading: bool = False
    live_ack: Literal["I_UNDERSTAND"] | None = None
    kill_switch: bool = False

    nats_url: Annotated[str, AfterValidator(_nats_url)] = Field(default="nats://127.0.0.1:4222", repr=False)
    nats_creds: Annotated[SecretStr, BeforeValidator(_credentials)] | None = None
    nats_nkey_seed: SecretStr | None = None
    nats_ca: Path | None = None
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(default=None, repr=False)

    binance_api_key: SecretStr | None = None
    binance_secret_key: SecretStr | None = None
    binance_testnet_api_key: SecretStr | None = None
    binance_testnet_secret_key: SecretStr | None = None
    binance_base_url: Origin | None = None
    binance_ws_url: Origin | None = None
    binance_ws_api_url: Origin | None = None
    alpaca_api_key: SecretStr | None = None
    alpaca_secret_key: SecretStr | None = None
    alpaca_paper_api_key: SecretStr | None = None
    alpaca_paper_secret_key: SecretStr | None = None
    alpaca_base_url: Origin | None = None
    alpaca_data_url: Origin | None = None
    alpaca_stream_url: Origin | None = None

    telegram_bot_token: SecretStr | None = None
    telegram_chat_id: int | None = None
    telegram_api_url: Origin = "https://api.telegram.org"
    smtp_host: str | None = None
    smtp_port: Port = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    email_from: str | None = None
    email_to: str | None = None

    desk_host: str = "127.0.0.1"
    desk_port: Port = 8080
    desk_token: SecretStr | None = None
    totp_secret: SecretStr | None = None

    risk_signing_seed_file: Path | None = None
    risk_public_key: str | None = None
    risk_public_key_file: Path | None = None
    recorder_signing_seed_file: Path | None = None
    recorder_public_key_file: Path | None = None

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 0
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Literal["console", "json"] = "console"
    data_dir: Path = Path("data")

    @property
    def mode(self) -> Mode:
        """Where orders go: nowhere real, to a venue's testnet, or, doubly confirmed, to the real venue."""
        if self.dry_run:
            return "dry_run"
        return "live" if self.live_trading and self.live_ack == ACKNOWLEDGEMENT else "testnet"

    def secrets(self) -> tuple[str, ...]:
        """Every secret in clear text, for those who must keep them out of something."""
        hidden = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        urls = [urlsplit(url).password for url in (*self.nats_url.split(","), self.database_url or "")]
        return tuple(secret for secret in (*hidden, *urls) if secret)

    @validates_together(mode="after")
    def _consistent(self) -> Self:
        if self.nats_creds and self.nats_nkey_seed:
            raise ValueError("NATS_CREDS and NATS_NKEY_SEED exclude each other; set one")
        if self.desk_host not in _LOOPBACK and not self.desk_token:
            raise ValueError(f"DESK_HOST {self.desk_host} is open to others; set DESK_TOKEN too")
        if self.risk_public_key and self.risk_public_key_file:
            raise ValueError("RISK_PUBLIC_KEY and RISK_PUBLIC_KEY_FILE exclude each other; set one")
        for pair in _TOGETHER:
            self._check_complete(*pair)
        return self

    def _check_complete(self, *names: str) -> None:
        missing = [name.upper() for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            given = [name.upper() for name in names if name.upper() not in missing]
            raise ValueError(f"{' and '.join(missing)} must be set too, as {' and '.join(given)} is")


_TOGETHER = (
    ("binance_api_key", "binance_secret_key"),
    ("binance_testnet_api_key", "binance_testnet_secret_key"),
    ("alpaca_api_key", "alpaca_secret_key"),
    ("alpaca_paper_api_key", "alpaca_paper_secret_key"),
    ("telegram_bot_token", "telegram_chat_id"),
    ("smtp_user", "smtp_password"),
    ("smtp_host", "email_from", "email_to"),
)


def clear(secret: SecretStr | None) -> str:
    """The secret in clear text; nothing where there is none."""
    return secret.get_secret_value() if secret else ""


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings; SettingsError naming each that is unknown, unreadable, wrong or in contradiction to another.

    `environ` (by default the process's) comes before the file `dotenv`. Where NATS_URL and DATABASE_URL are not set,
    an embedded stack's DATA_DIR/run/endpoints.json tells them.
    """
    given = gathered(os.environ if environ is None else environ, dotenv, tuple(Settings.model_fields))
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("; ".join(_told(problem) for problem in error.errors(include_input=False))) from None


def _told(problem: Any) -> str:
    text = problem["msg"].removeprefix("Value error, ")
    return " ".join([*(str(part).upper() for part in problem["loc"][:1]), text])
