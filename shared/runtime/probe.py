"""Ends with status 0 when the service on this machine's METRICS_PORT is ready, else with 1; prints what it answered.

Run as a script, again and again, by a container engine: it needs next to nothing beside the interpreter.
"""

import os
import socket
import sys

ANSWER_WITHIN_SECONDS = 8.0


def is_ready(port: int) -> bool:
    """Whether /readyz says so; ConnectionError or TimeoutError when nobody answers."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_SECONDS) as connection:
        connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        with connection.makefile("rb") as answer:
            status, *rest = answer.read().splitlines()
    print(rest[-1].decode())
    return b" 200 " in status


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ["METRICS_PORT"])) else 1)
