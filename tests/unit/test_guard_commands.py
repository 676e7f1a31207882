"""Operators' commands: stops never fail, everything else is checked."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyotp
import pytest

from services.risk.core import commands, post
from services.risk.core.commands import MOST_WRONG_CODES, WITHIN
from services.risk.core.post import Post
from services.risk.core.stack import Stack
from services.risk.second_factor import new_secret, second_factor
from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import CommandRefused, TradingHalted
from shared.schemas.values import STACK
from tests.guard_story import SESSION, Story, at_a_real_venue, config, ticket, unsigned

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHER = "11111111-1111-5111-8111-111111111111"
GARBAGE = [
    b"",
    b"fat finger",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"reason": "\\ud800"}',
    b'{"reason": {"a": []}}',
    b"x" * 900_000,
]


class Desk:
    """A post with two running sessions, and commands that are numbered as they come."""

    def __init__(self, factor: commands.SecondFactor | None = None) -> None:
        self.factor = factor
        self.stories = {name: Story(config(), session_id=name) for name in (SESSION, OTHER)}
        self.post = Post()
        self.number = 0
        for story in self.stories.values():
            self.hear(story.start())
            self.hear(story.close("100"))

    def hear(self, fact: Event) -> Sequence[Event]:
        self.post, facts = post.deliver(self.post, fact, unsigned)
        return facts

    def ask(self, subject: str, payload: bytes = b'{"reason": "test", "operator": "anna"}') -> Sequence[Event]:
        self.number += 1
        command = Command.read(f"control.{subject}", payload, self.number, NOON)
        self.post, facts = post.command(self.post, command, self.factor)
        return facts

    def refuses(self, session_id: str = SESSION) -> str | None:
        self.number += 1
        (verdict,) = self.hear(self.stories[session_id].intend(ticket(f"o{self.number}")))
        return verdict.details.rule if verdict.type == "order_refused" else None


@pytest.mark.parametrize("payload", GARBAGE, ids=range(len(GARBAGE)))
def test_any_payload_kills_everything(payload: bytes) -> None:
    desk = Desk()
    facts = desk.ask("kill", payload)
    assert [fact.session_id for fact in facts] == [STACK, SESSION, OTHER]
    assert all(decode(subject_of(fact), encode(fact)) == fact for fact in facts)
    assert (desk.refuses(), desk.refuses(OTHER)) == ("killed", "killed")


def test_the_payload_is_the_reason_of_a_kill() -> None:
    halted = Desk().ask("kill", b"fat finger")[0]
    assert isinstance(halted, TradingHalted)
    assert (halted.details.reason, halted.details.control_sequence) == ("fat finger", 1)


def test_a_kill_of_one_session_leaves_the_others_trading() -> None:
    desk = Desk()
    assert [fact.session_id for fact in desk.ask(f"kill.{SESSION.upper()}")] == [SESSION]
    assert (desk.refuses(), desk.refuses(OTHER)) == ("killed", None)


def test_a_malformed_session_id_kills_everything() -> None:
    desk = Desk()
    assert desk.ask("kill.the-red-one.please")[0].session_id == STACK
    assert desk.refuses(OTHER) == "killed"


def test_a_session_that_is_killed_before_it_starts_starts_halted() -> None:
    desk = Desk()
    newcomer = "22222222-2222-5222-8222-222222222222"
    desk.ask(f"kill.{newcomer}")
    (word,) = desk.hear(Story(config(), session_id=newcomer).start())
    assert word.type == "trading_halted"


def test_a_stop_of_a_session_that_is_over_is_refused() -> None:
    desk = Desk()
    desk.hear(desk.stories[OTHER].end())
    (refused,) = desk.ask(f"kill.{OTHER}")
    assert isinstance(refused, CommandRefused)


def test_a_redelivered_command_repeats_its_ids() -> None:
    first, again = Desk().ask("kill"), Desk().ask("kill")
    assert [fact.id for fact in first] == [fact.id for fact in again]
    assert len({fact.id for fact in first}) == len(first)


def test_a_resume_of_the_stack_clears_every_halt() -> None:
    desk = Desk()
    desk.ask(f"pause.{SESSION}")
    desk.ask("kill")
    assert [fact.type for fact in desk.ask("resume")] == ["trading_resumed"] * 3
    assert (desk.refuses(), desk.refuses(OTHER), desk.post.stack.halt) == (None, None, None)


@pytest.mark.parametrize(
    "payload", [b"", b"please", b'{"reason": "x"}', b'{"operator": "anna"}', b'{"reason": "", "operator": "anna"}']
)
def test_a_resume_that_does_not_validate_changes_nothing_and_is_told(payload: bytes) -> None:
    desk = Desk()
    desk.ask("kill")
    (refused,) = desk.ask("resume", payload)
    assert isinstance(refused, CommandRefused)
    assert refused.details.control_sequence == 2
    assert desk.refuses() == "killed"


def test_one_session_cannot_be_resumed_while_the_stack_is_halted() -> None:
    desk = Desk()
    desk.ask("pause")
    (refused,) = desk.ask(f"resume.{SESSION}")
    assert "the whole stack is halted" in refused.details.reason
    assert desk.refuses() == "paused"


def test_a_resume_of_one_session_clears_that_one() -> None:
    desk = Desk()
    desk.ask(f"kill.{SESSION}")
    desk.ask(f"kill.{OTHER}")
    assert [fact.session_id for fact in desk.ask(f"resume.{SESSION}")] == [SESSION]
    assert (desk.refuses(), desk.refuses(OTHER)) == (None, "killed")


@pytest.mark.parametrize("subject", ["resume", f"resume.{SESSION}", "resume.nobody", "flatten.nobody", "selfdestruct"])
def test_what_cannot_be_carried_out_is_refused(subject: str) -> None:
    (refused,) = Desk().ask(subject)
    assert isinstance(refused, CommandRefused)


def test_a_pause_does_not_replace_a_kill() -> None:
    desk = Desk()
    desk.ask("kill")
    assert desk.ask("pause")[0].type == "command_refused"
    assert desk.refuses() == "killed"


def test_flatten_is_ordered_in_every_session_and_trading_goes_on() -> None:
    desk = Desk()
    assert [(fact.type, fact.session_id) for fact in desk.ask("flatten")] == [
        ("flatten_ordered", name) for name in (STACK, SESSION, OTHER)
    ]
    assert desk.refuses() is None


@pytest.mark.parametrize("name", ["report", "rebalance"])
def test_commands_for_others_are_passed_over(name: str) -> None:
    assert Desk().ask(name, b"") == ()


def test_critical_commands_need_a_right_code_and_each_code_counts_once() -> None:
    secret = new_secret()
    desk = Desk(second_factor(secret))
    right = pyotp.TOTP(secret).at(NOON)
    with_code = f'{{"reason": "x", "operator": "anna", "totp": "{right}"}}'.encode()
    desk.ask("kill")
    assert desk.ask("resume")[0].type == "command_refused"
    wrong = with_code.replace(right.encode(), b"abcdef")
    assert desk.ask("resume", wrong)[0].type == "command_refused"
    assert desk.ask("resume", with_code)[0].type == "trading_resumed"
    assert "used before" in desk.ask("flatten", with_code)[0].details.reason
    desk.ask("kill")
    assert desk.ask("resume", with_code)[0].type == "command_refused"
    assert desk.refuses() == "killed"


@pytest.mark.parametrize("subject", ["resume", f"resume.{SESSION}", "flatten", f"flatten.{SESSION}"])
def test_with_real_money_a_guard_without_a_second_factor_lets_nothing_trade_or_close_and_a_kill_still_kills(
    subject: str,
) -> None:
    desk = Desk()
    desk.stories[SESSION] = Story(at_a_real_venue(), session_id=SESSION, mode="live")
    desk.post = Post()
    desk.hear(desk.stories[SESSION].start())
    (refused,) = desk.ask(subject)
    assert isinstance(refused, CommandRefused)
    assert "takes the second factor" in refused.details.reason
    assert desk.refuses() == "paused"
    desk.ask("kill", b"")
    assert desk.refuses() == "killed"


def test_going_live_takes_a_right_code() -> None:
    secret = new_secret()
    desk = Desk(second_factor(secret))
    desk.post = Post()
    desk.stories[SESSION] = Story(at_a_real_venue(), session_id=SESSION, mode="live")
    desk.hear(desk.stories[SESSION].start())
    desk.hear(desk.stories[SESSION].close("100"))
    asked = '{"reason": "go", "operator": "anna", "totp": "%s"}'
    assert desk.ask("resume")[0].type == "command_refused"
    assert desk.ask("resume", (asked % "abcdef").encode())[0].type == "command_refused"
    assert desk.refuses() == "paused"
    assert desk.ask("resume", (asked % pyotp.TOTP(secret).at(NOON)).encode())[-1].type == "trading_resumed"
    assert desk.refuses() is None


def test_after_five_wrong_codes_not_even_the_right_one_is_looked_at_for_a_while_and_a_kill_still_kills() -> None:
    secret = new_secret()
    desk = Desk(second_factor(secret))
    shown = '{"reason": "x", "operator": "anna", "totp": "%s"}'
    right = (shown % pyotp.TOTP(secret).at(NOON)).encode()
    desk.ask("pause")
    for _ in range(MOST_WRONG_CODES):
        assert "wrong or out of date" in desk.ask("resume", (shown % "abcdef").encode())[0].details.reason
    assert "5 wrong codes within 0:05:00; try again at" in desk.ask("resume", right)[0].details.reason
    assert desk.ask("kill", b"")[0].type == "trading_halted"
    later = NOON + WITHIN
    afresh = (shown % pyotp.TOTP(secret).at(later)).encode()
    stack = desk.post.stack
    (word, *_) = commands.decide(stack, Command("resume", None, afresh, 99, later), second_factor(secret))
    assert word.type == "trading_resumed"


def test_the_kill_switch_setting_kills_unless_a_kill_is_latched() -> None:
    stack = Stack()
    (halted,) = commands.kill_switch(stack, SESSION, NOON)
    assert isinstance(halted, TradingHalted)
    assert halted.details.operator == "KILL_SWITCH"
    assert commands.kill_switch(stack._replace(halt=halted.details), SESSION, NOON) == ()


def test_own_facts_that_the_stream_delivers_back_change_nothing() -> None:
    desk = Desk()
    facts = desk.ask("kill")
    desk.ask("resume")
    for fact in facts:
        assert desk.hear(fact) == ()
    assert desk.refuses() is None
