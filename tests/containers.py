"""A compose stack of its own for a test: own project, own volumes, ports that the engine chooses."""

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
PORTS = {
    "nats": (4222, 8222),
    "postgres": (5432,),
    "runner": (9101,),
    "risk": (9102, 8080),
    "notifier": (9103,),
    "recorder": (9104,),
    "prometheus": (9090,),
    "grafana": (3000,),
}
DESK_TOKEN = secrets.token_urlsafe()
_T = TypeVar("_T")


@cache
def engine_answers() -> bool:
    """Whether there is a container engine with compose."""
    if shutil.which("docker") is None:
        return False
    return all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0
        for command in (["docker", "info"], ["docker", "compose", "version"])
    )


def image_of(service: str) -> str:
    """The image that docker-compose.yml names for a service."""
    return str(configuration()["services"][service]["image"])


@cache
def configuration() -> dict[str, Any]:
    """docker-compose.yml as compose reads it in a clone without a .env."""
    command = ["docker", "compose", "--env-file", "/dev/null", "-f", str(ROOT / "docker-compose.yml"), "config"]
    result: dict[str, Any] = json.loads(_run([*command, "--format", "json"]))
    return result


def can_be_had(image: str) -> bool:
    """Whether an image is here or can be pulled."""
    return any(
        subprocess.run(["docker", *command, image], capture_output=True, check=False).returncode == 0
        for command in (["image", "inspect"], ["pull", "--quiet"])
    )


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    project: str
    override: Path

    def compose(self, *arguments: str, seconds: float = 120) -> str:
        """Run docker compose on this stack; answers what it printed."""
        files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(self.override)]
        head = ["docker", "compose", "--env-file", "/dev/null", "-p", self.project, *files]
        return _run([*head, *arguments], seconds, DESK_TOKEN=DESK_TOKEN)

    def url(self, service: str, path: str = "/", port: int | None = None) -> str:
        """Where this machine reaches a service's port, by default the one that tells how it is."""
        told = port or PORTS[service][-1 if service == "nats" else 0]
        return f"http://{self.compose('port', service, str(told)).strip()}{path}"

    def get(self, service: str, path: str) -> Any:
        """The JSON that a service answers."""
        with urllib.request.urlopen(self.url(service, path), timeout=15) as answer:
            return json.load(answer)

    def prometheus(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers to an expression now."""
        answer = self.get("prometheus", "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def sql(self, statement: str, role: str = "leitstand") -> list[list[str]]:
        """Rows that PostgreSQL answers; columns are text."""
        command = ["psql", "-X", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", "leitstand"]
        answer = self.compose("exec", "-T", "postgres", *command, "-c", statement)
        return [line.split("\t") for line in answer.splitlines()]

    def exit_status(self, service: str) -> int:
        """With what a service's container has ended."""
        container = self.compose("ps", "--all", "--quiet", service).strip()
        return int(_run(["docker", "inspect", "--format", "{{.State.ExitCode}}", container]))


@contextmanager
def running(project: str, folder: Path, services: tuple[str, ...]) -> Iterator[Stack]:
    """Build and start `services` and wait until they are healthy; afterwards nothing of the stack is left."""
    override = folder / "ports.yml"
    override.write_text(_override(services), encoding="utf-8")
    stack = Stack(project, override)
    try:
        stack.compose("up", "--detach", "--build", "--wait", "--wait-timeout", "600", *services, seconds=1800)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "30", seconds=300)


def eventually(seen: Callable[[], _T], seconds: float = 120) -> _T:
    """What `seen` answers once it answers something truthy; AssertionError when it never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := seen():
            return answer
        time.sleep(1)
    raise AssertionError(f"not seen within {seconds:g} s")


def _override(services: tuple[str, ...]) -> str:
    lines = ["services:"]
    for service in services:
        ports = ", ".join(f'"127.0.0.1::{port}"' for port in PORTS[service])
        lines.append(f"  {service}:\n    ports: !override [{ports}]")
    return "\n".join(lines) + "\n"


def _run(command: list[str], seconds: float = 120, **environment: str) -> str:
    own = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, cwd=ROOT, env=own)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
