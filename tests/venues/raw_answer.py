"""An answer as it came, with its status and headers."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import ClientResponse


class Answer(NamedTuple):
    """`body` is the JSON, or the text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def refusal(self) -> tuple[int, int | None, str]:
        """The status, the code and the message of an error answer; Binance calls it `msg`, Alpaca `message`."""
        return self.status, self.body.get("code"), self.body["msg" if "msg" in self.body else "message"]


async def answer_of(response: ClientResponse) -> Answer:
    """The whole answer, read to its end."""
    return Answer(response.status, _read(await response.text()), response.headers)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
