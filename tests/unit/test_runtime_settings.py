"""Settings: from where, in which order, and what is refused."""

import json
from pathlib import Path

import pytest

from shared.runtime.errors import SettingsError
from shared.runtime.settings import load_settings


def refused(environ: dict[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, dotenv)
    return str(caught.value)


def test_trades_dry_and_locally_when_nothing_is_set(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path)}, dotenv=None)
    assert (settings.mode, settings.nats_url, settings.database_url) == ("dry_run", "nats://127.0.0.1:4222", None)
    assert (settings.desk_host, settings.desk_port, settings.log_level) == ("127.0.0.1", 8080, "INFO")


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({"LIVE_TRADING": "true", "LIVE_ACK": "I_UNDERSTAND"}, "dry_run"),
        ({"DRY_RUN": "false"}, "testnet"),
        ({"DRY_RUN": "false", "LIVE_TRADING": "true"}, "testnet"),
        ({"DRY_RUN": "false", "LIVE_ACK": "I_UNDERSTAND"}, "testnet"),
        ({"DRY_RUN": "false", "LIVE_TRADING": "true", "LIVE_ACK": "I_UNDERSTAND"}, "live"),
    ],
)
def test_goes_live_only_when_all_three_settings_say_so(environ: dict[str, str], mode: str) -> None:
    assert load_settings(environ, dotenv=None).mode == mode


def test_the_environment_comes_before_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("LOG_LEVEL=debug\nLOG_FORMAT=json\nPOSTGRES_PASSWORD=not-ours\n")
    settings = load_settings({"LOG_LEVEL": "warning"}, dotenv)
    assert (settings.log_level, settings.log_format) == ("WARNING", "json")


def test_an_empty_value_counts_as_not_set() -> None:
    assert load_settings({"TELEGRAM_BOT_TOKEN": "", "DRY_RUN": " "}, dotenv=None).telegram_bot_token is None


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    settings = load_settings({"DESK_TOKEN_FILE": str(tmp_path / "token")}, dotenv=None)
    assert settings.desk_token is not None
    assert settings.desk_token.get_secret_value() == "s3cret"


def test_secrets_never_show_in_a_repr() -> None:
    settings = load_settings(
        {
            "TOTP_SECRET": "JBSWY3DPEHPK3PXP",
            "DATABASE_URL": "postgresql://me:pa55word@db/leitstand",
            "NATS_URL": "nats://me:na75word@bus:4222",
        },
        dotenv=None,
    )
    assert not any(secret in repr(settings) + str(settings) for secret in ("JBSWY3DP", "pa55word", "na75word"))
    assert set(settings.secrets()) == {"JBSWY3DPEHPK3PXP", "pa55word", "na75word"}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"BINANCE_API_KEI": "x"}, "BINANCE_API_KEI is not a setting; did you mean BINANCE_API_KEY?"),
        ({"NATS_ULR": "nats://bus:4222"}, "NATS_ULR"),
        ({"LIVE_ACK": "yes"}, "LIVE_ACK"),
        ({"DRY_RUN": "perhaps"}, "DRY_RUN"),
        ({"DESK_PORT": "99999"}, "DESK_PORT"),
        ({"NATS_URL": "http://bus"}, "NATS_URL"),
        ({"DATABASE_URL": "mysql://db"}, "DATABASE_URL"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"BINANCE_BASE_URL": "https://proxy.example/api"}, "BINANCE_BASE_URL"),
        ({"ALPACA_BASE_URL": "https://user@proxy.example"}, "ALPACA_BASE_URL"),
        ({"NATS_CREDS": "/nowhere/at.creds"}, "NATS_CREDS"),
        ({"BINANCE_API_KEY": "k"}, "BINANCE_SECRET_KEY must be set too"),
        ({"TELEGRAM_BOT_TOKEN": "t"}, "TELEGRAM_CHAT_ID must be set too"),
        ({"SMTP_HOST": "mail.example"}, "EMAIL_FROM and EMAIL_TO must be set too"),
        ({"DESK_HOST": "0.0.0.0"}, "DESK_TOKEN"),
        ({"DESK_TOKEN": "a", "DESK_TOKEN_FILE": "b"}, "DESK_TOKEN and DESK_TOKEN_FILE exclude each other"),
        ({"DESK_TOKEN_FILE": "/nowhere/token"}, "DESK_TOKEN_FILE"),
    ],
)
def test_refuses_what_is_wrong_and_names_it(environ: dict[str, str], named: str) -> None:
    assert named in refused(environ)


def test_refuses_two_ways_to_log_in_to_the_bus(tmp_path: Path) -> None:
    creds = tmp_path / "bus.creds"
    creds.write_text("-----BEGIN NATS USER JWT-----\n")
    assert "NATS_CREDS and NATS_NKEY_SEED" in refused({"NATS_CREDS": str(creds), "NATS_NKEY_SEED": "SU"})


def test_names_every_wrong_setting_and_repeats_no_value() -> None:
    message = refused({"DESK_PORT": "hunter2", "DRY_RUN": "hunter3"})
    assert "DESK_PORT" in message
    assert "DRY_RUN" in message
    assert "hunter" not in message


def test_refuses_an_unknown_name_in_the_dotenv_file_that_looks_like_one_of_ours(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("NATS_PASSWORD=x\n")
    assert "NATS_PASSWORD is not a setting" in refused({}, dotenv)


def test_leaves_an_orchestrators_and_the_runners_names_in_the_environment_alone() -> None:
    load_settings({"NATS_PORT": "tcp://10.0.0.1:4222", "SPEED": "max", "SESSION": "config/demo.toml"}, dotenv=None)


def test_an_embedded_stack_tells_where_bus_and_database_are(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    endpoints = {"nats": "nats://127.0.0.1:5001", "database": "postgresql://127.0.0.1:5002/x"}
    (tmp_path / "run" / "endpoints.json").write_text(json.dumps(endpoints))
    found = load_settings({"DATA_DIR": str(tmp_path)}, dotenv=None)
    given = load_settings({"DATA_DIR": str(tmp_path), "NATS_URL": "nats://bus:4222"}, dotenv=None)
    assert (found.nats_url, found.database_url) == (endpoints["nats"], endpoints["database"])
    assert (given.nats_url, given.database_url) == ("nats://bus:4222", endpoints["database"])


def test_refuses_a_broken_endpoints_file(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "endpoints.json").write_text("{")
    assert "endpoints.json" in refused({"DATA_DIR": str(tmp_path)})
