"""From one state of the page to the next, in the fewest bytes: each section is encoded once for all browsers."""

import json
from collections.abc import Iterable, Mapping

from services.risk.desk.core.feed import Line, as_document
from services.risk.desk.core.page import Sections

Encoded = Mapping[str, str]
"""Each section's JSON text."""


def encoded(sections: Sections) -> Encoded:
    """The sections as JSON texts."""
    return {name: json.dumps(content, separators=(",", ":")) for name, content in sections.items()}


def message(at: str, shown: Encoded, known: Encoded, lines: Iterable[Line], whole: bool = False) -> str:
    """What turns a page that shows `known` into one that shows `shown`; `whole` tells it to begin anew."""
    changed = [f"{json.dumps(name)}:{text}" for name, text in shown.items() if known.get(name) != text]
    gone = json.dumps([name for name in known if name not in shown])
    told = json.dumps([as_document(line) for line in lines], separators=(",", ":"))
    head = f'"at":"{at}","whole":{"true" if whole else "false"}'
    return f'{{{head},"set":{{{",".join(changed)}}},"gone":{gone},"lines":{told}}}'
