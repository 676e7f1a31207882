"""What must hold of the whole post, whatever operators and runners send it in whatever order."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pyotp
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.core import post
from services.risk.core.post import Post
from services.risk.core.state import Guard
from services.risk.second_factor import second_factor
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted, TradingResumed
from shared.schemas.orders import OrderApproved, OrderIntended, OrderRefused
from tests.guard_story import MONDAY, SESSION, Story, config, exit_ticket, ticket, unsigned

SECRET = "JBSWY3DPEHPK3PXP" * 2
FACTOR = second_factor(SECRET)
TOTP = pyotp.TOTP(SECRET)
EXPOSURE = Decimal("0.8")
FACTS = ("close", "buy", "exit", "fill", "again")
COMMANDS = ("kill", "kill_session", "garbage", "pause", "resume", "no_code", "wrong_code", "old_code", "limit")
STEPS = st.lists(st.tuples(st.sampled_from((*FACTS, *COMMANDS)), st.integers(1, 60)), max_size=40)


class Play:
    """One session before the guard. `killed` from a kill until a resume whose code was right and new."""

    def __init__(self) -> None:
        self.story = Story(config(max_open_exposure=str(EXPOSURE)))
        self.post, self.killed = Post(), False
        self.shown = MONDAY
        self.verdicts: Counter[str] = Counter()
        self.intents: list[OrderIntended] = []
        self.commands = 0
        self._hear(self.story.start(), self.story.close("100"))

    def act(self, number: int, kind: str, value: int) -> None:
        match kind:
            case "close":
                self._hear(self.story.close(str(50 + 2 * value)))
            case "buy":
                self._intend(self.story.intend(ticket(f"b{number}", qty=str(value), reference_price=self._price())))
            case "exit":
                self._intend(self.story.intend(exit_ticket(f"x{number}", qty=str(value))))
            case "again":
                for intent in self.intents[-value:][:1]:
                    self._hear(intent)
            case "fill":
                for order in list(self._guard.book.working.values())[:value]:
                    self._hear(self.story.fill(order.ticket, self._price()))
            case _:
                self._ask(kind)

    @property
    def _guard(self) -> Guard:
        return self.post.stack.guards[SESSION]

    def _price(self) -> str:
        return str(self._guard.portfolio.closes["BTCUSDT"])

    def _intend(self, intent: OrderIntended) -> None:
        self.intents.append(intent)
        self._hear(intent)

    def _hear(self, *facts: Event) -> None:
        for fact in facts:
            self.post, told = post.deliver(self.post, fact, unsigned)
            self._check(told)

    def _check(self, told: Sequence[Event]) -> None:
        for verdict in told:
            if isinstance(verdict, OrderApproved | OrderRefused):
                self.verdicts[verdict.details.intent_id] += 1
            if isinstance(verdict, OrderApproved) and not verdict.order.reduce_only:
                assert not self.killed
                account = self._guard.portfolio
                assert account.exposure + self._guard.book.buying() <= EXPOSURE * account.equity
        assert all(count == 1 for count in self.verdicts.values())

    def _ask(self, kind: str) -> None:
        self.commands += 1
        at = self.shown if kind == "old_code" else self.story.now + timedelta(minutes=7 * self.commands)
        code = {"no_code": None, "wrong_code": "abcdef", "old_code": TOTP.at(at) if at != MONDAY else "abcdef"}
        name = {"kill_session": "kill", "garbage": "kill"}.get(kind, "resume" if kind in code else kind)
        payload = b"\xff{" if kind == "garbage" else b""
        if name in ("resume", "limit"):
            totp = code[kind] if kind in code else TOTP.at(at)
            payload = f'{{"reason": "r", "operator": "o", "totp": "{totp}"}}'.encode()
            payload = payload.replace(b', "totp": "None"', b"")
        given = Command(name, SESSION if kind == "kill_session" else None, payload, self.commands, at)
        self.post, told = post.command(self.post, given, FACTOR)
        if kind == "resume":
            self.shown = at
            self.killed = self.killed and not any(isinstance(word, TradingResumed) for word in told)
        else:
            assert not any(isinstance(word, TradingResumed) for word in told)
        if name == "kill":
            assert any(isinstance(word, TradingHalted) for word in told)
            self.killed = True


@settings(max_examples=150)
@given(STEPS)
def test_a_kill_holds_until_a_resume_with_a_new_right_code_and_each_intent_has_one_verdict(
    steps: list[tuple[str, int]],
) -> None:
    play = Play()
    for number, (kind, value) in enumerate(steps):
        play.act(number, kind, value)
