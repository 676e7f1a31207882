"""The compose stack for real: up from nothing, trading, seen in every view, and down in good order."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.grafana import dashboards
from tests.containers import (
    DESK_TOKEN,
    PORTS,
    Stack,
    can_be_had,
    configuration,
    engine_answers,
    eventually,
    image_of,
    running,
)

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not engine_answers(), reason="no container engine with compose answers here"),
]

OURS = ("runner", "risk", "notifier", "recorder")
WITHOUT_GRAFANA = ("nats", "postgres", *OURS, "prometheus")
FOUND = (
    "import importlib.util as i, os, sys; print([m for m in sys.argv[1:] if i.find_spec(m)], os.listdir('services'))"
)
FOREIGN = {
    "runner": ("psycopg", "httpx", "pyotp"),
    "risk": ("psycopg", "httpx"),
    "notifier": ("psycopg", "pyotp"),
    "recorder": ("httpx", "pyotp"),
}


def _has_grafana() -> bool:
    return can_be_had(image_of("grafana"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    services = (*WITHOUT_GRAFANA, "grafana") if _has_grafana() else WITHOUT_GRAFANA
    with running("leitstand-test", tmp_path_factory.mktemp("stack"), services) as stack:
        yield stack


def _panels() -> list[dict[str, list[dict[str, str]]]]:
    return [
        panel
        for text in dashboards.rendered().values()
        for panel in json.loads(text)["panels"]
        if panel["type"] != "row"
    ]


MAY_BE_SILENT = ("refusals", "ALERTS", "leitstand_venue_")
"""What a session in good order at a simulated venue has none of: refusals, alerts, calls of a venue."""


def _asked(key: str) -> list[str]:
    return [target[key] for panel in _panels() for target in panel["targets"] if key in target]


def _filled_in(query: str, session: str) -> str:
    return (
        query.replace("${session:sqlstring}", f"'{session}'")
        .replace("$session", session)
        .replace("$__rate_interval", "1m")
    )


def _session_name(stack: Stack) -> str:
    return eventually(lambda: stack.sql("SELECT name FROM sessions WHERE status = 'running'"))[0][0]


def test_every_port_is_bound_to_this_machine_alone() -> None:
    for service, described in configuration()["services"].items():
        assert {port["host_ip"] for port in described["ports"]} == {"127.0.0.1"}
        assert {int(port["published"]) for port in described["ports"]} == set(PORTS[service])


def test_no_password_and_no_token_is_written_in_the_compose_file() -> None:
    secret = ("PASSWORD", "TOKEN", "SECRET", "SEED", "KEY")
    for described in configuration()["services"].values():
        for name, value in (described.get("environment") or {}).items():
            is_secret = any(word in name for word in secret) and not name.endswith("_FILE")
            assert not (is_secret and value), name


def test_the_guards_seed_is_mounted_by_the_guard_alone() -> None:
    mounts = {
        name: {mount.get("source"): mount.get("read_only", False) for mount in described.get("volumes", [])}
        for name, described in configuration()["services"].items()
    }
    assert [name for name, sources in mounts.items() if "risk-keys" in sources] == ["risk"]
    assert [name for name, sources in mounts.items() if "recorder-keys" in sources] == ["recorder"]
    assert mounts["runner"]["trust"] is True


def test_all_four_services_say_that_they_are_ready(stack: Stack) -> None:
    states = {
        entry["Service"]: entry["Health"]
        for entry in map(json.loads, stack.compose("ps", "--format", "json").splitlines())
    }
    assert {name: states[name] for name in WITHOUT_GRAFANA} == dict.fromkeys(WITHOUT_GRAFANA, "healthy")


def test_the_session_trades_and_its_fills_and_equity_reach_postgresql(stack: Stack) -> None:
    eventually(lambda: stack.sql("SELECT 1 FROM fills LIMIT 1"), seconds=300)
    assert stack.sql("SELECT 1 FROM equity LIMIT 1")
    assert stack.sql("SELECT 1 FROM orders WHERE status = 'filled' LIMIT 1")


def test_the_desk_opens_to_this_machine_for_its_token_alone(stack: Stack) -> None:
    status = urllib.request.Request(stack.url("risk", "/api/status", port=8080))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(status, timeout=15)
    login = urllib.request.Request(
        stack.url("risk", "/api/login", port=8080), json.dumps({"token": DESK_TOKEN}).encode(), method="POST"
    )
    with urllib.request.urlopen(login, timeout=15) as answer:
        status.add_header("Cookie", answer.headers["Set-Cookie"].partition(";")[0])
    with urllib.request.urlopen(status, timeout=15) as answer:
        assert json.load(answer)["set"]["status"]


def test_prometheus_scrapes_all_four_services(stack: Stack) -> None:
    def up() -> set[str]:
        return {entry["metric"]["service"] for entry in stack.prometheus('up{job="leitstand"} == 1')}

    assert eventually(lambda: up() == set(OURS))


def test_every_question_of_the_dashboard_is_answered_with_data_or_with_an_empty_state(stack: Stack) -> None:
    session = _session_name(stack)

    def silent() -> set[str]:
        asked = {query for query in _asked("expr") if not any(name in query for name in MAY_BE_SILENT)}
        return {query for query in asked if not stack.prometheus(_filled_in(query, session))}

    eventually(lambda: not silent())
    assert silent() == set()


def test_the_dashboards_role_reads_every_table_that_it_asks_and_can_change_none(stack: Stack) -> None:
    session = _session_name(stack)
    eventually(lambda: stack.sql("SELECT 1 FROM equity LIMIT 1"))
    for query in _asked("rawSql"):
        stack.sql(_filled_in(query, session), role="grafana")
    with pytest.raises(AssertionError, match=r"read-only|permission denied"):
        stack.sql("DELETE FROM sessions", role="grafana")


def test_prometheus_has_read_every_alert_rule_without_an_error(stack: Stack) -> None:
    groups = stack.get("prometheus", "/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == Path("deploy/prometheus/alerts.yml").read_text(encoding="utf-8").count("- alert:")
    assert eventually(lambda: all(rule["health"] != "err" for rule in rules))


def test_grafana_knows_the_dashboard_and_both_data_sources(stack: Stack) -> None:
    if not _has_grafana():
        pytest.skip(f"the image {image_of('grafana')} can't be had here")
    assert stack.get("grafana", "/api/dashboards/uid/leitstand-trading")["dashboard"]["title"] == "Trading"
    for uid in ("leitstand-postgres", "leitstand-prometheus"):
        assert stack.get("grafana", f"/api/datasources/uid/{uid}/health")["status"] == "OK"


@pytest.mark.parametrize("service", OURS)
def test_an_image_holds_its_own_services_packages_and_code_only(stack: Stack, service: str) -> None:
    told = stack.compose("exec", "-T", service, "python", "-c", FOUND, *FOREIGN[service])
    others = {other for other in OURS if other != service} - ({"risk"} if service == "runner" else set())
    assert told.startswith("[]")
    assert not any(f"'{other}'" in told for other in others)


def test_a_runner_that_was_killed_takes_its_session_up_again(stack: Stack) -> None:
    newest = "SELECT session_id, max(sequence) FROM equity GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    session, mark = eventually(lambda: stack.sql(newest))[0]
    stack.compose("kill", "--signal", "KILL", "runner")
    stack.compose("start", "runner")
    further = f"SELECT 1 FROM equity WHERE session_id = '{session}' AND sequence > {mark} LIMIT 1"
    assert eventually(lambda: stack.sql(further))


def test_stopping_ends_the_session_in_good_order(stack: Stack) -> None:
    session = stack.sql("SELECT session_id FROM sessions WHERE status = 'running' ORDER BY started_at DESC")[0][0]
    stack.compose("stop", "runner", seconds=90)
    assert stack.exit_status("runner") == 0
    read = f"import json; print(json.load(open('/data/sessions/{session}/summary.json'))['status'])"
    assert eventually(lambda: stack.compose("exec", "-T", "recorder", "python", "-c", read).strip() == "success")
    stack.compose("stop", seconds=180)
    assert {name: stack.exit_status(name) for name in OURS} == dict.fromkeys(OURS, 0)
