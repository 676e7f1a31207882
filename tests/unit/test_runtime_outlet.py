"""Messages in the words of the NATS client protocol."""

import pytest

from shared.runtime.errors import FatalError
from shared.runtime.outlet import publication


def test_a_message_without_headers_tells_its_size() -> None:
    assert publication("control.kill", b"now", None, "_INBOX.1") == b"PUB control.kill _INBOX.1 3\r\nnow\r\n"


def test_a_message_with_headers_tells_both_sizes() -> None:
    assert publication("a.b", b"{}", {"Nats-Msg-Id": "7"}) == (
        b"HPUB a.b  28 30\r\nNATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n{}\r\n"
    )


@pytest.mark.parametrize("value", ["two\nlines", "two\r\nlines", "two\r\n\r\n lines\n"])
def test_line_breaks_in_a_header_can_not_end_it(value: str) -> None:
    message = publication("a", b"", {"Reason": value, "Other": "1"})
    assert b"\r\nReason: two lines\r\nOther: 1\r\n\r\n" in message


@pytest.mark.parametrize("subject", ["", "two words", "a\r\nPUB b 0", "tab\there"])
def test_a_subject_that_would_break_the_protocol_is_refused(subject: str) -> None:
    with pytest.raises(FatalError, match="no message can be published"):
        publication(subject, b"", None)
