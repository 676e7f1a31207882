"""A venue's statement held against the session's own books."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from services.runner.core.dealt import OVERLAP, is_the_same, moves_of, trade_key, with_moves
from services.runner.core.state import State
from shared.schemas.identity import ORDER_PREFIX, client_order_id, is_guards_order
from shared.schemas.orders import Balance, Difference, Reconciliation
from shared.venues.statement import Execution, Statement

SURE = 3
"""A difference counts once so many statements in a row have shown it: single reads lag."""


def compared(state: State, statement: Statement) -> Reconciliation:
    """What the statement shows that is not ours, and where it differs from our books."""
    dealt = state.dealt
    others = [each for each in statement.executions if not is_ours(state, each.word.client_order_id)]
    news = [each for each in others if _key(each) not in dealt.trades]
    foreign_moves: dict[str, Decimal] = {}
    for each in news:
        foreign_moves = dict(with_moves(foreign_moves, _moves(state, each)))
    judged = statement.balances is not None and _is_at_rest(state, statement)
    differences = tuple(_differences(state, statement, foreign_moves)) if judged else ()
    return Reconciliation(
        at=statement.at,
        foreign_orders=tuple(_foreign_orders(state, statement)),
        foreign_trades=tuple(map(_key, news)),
        foreign_moves=tuple(Balance(asset=asset, qty=qty) for asset, qty in foreign_moves.items()),
        differences=differences,
        judged=judged,
        confirmed=is_the_same(differences, dealt.suspected) and dealt.seen + 1 >= SURE,
    )


def is_ours(state: State, name: str) -> bool:
    """Whether the session has intended the order of that name, or the guard has placed it for the session."""
    if name in state.orders or name in state.dealt.ended:
        return True
    if not name.startswith(ORDER_PREFIX):
        return False
    if is_guards_order(state.plan.session_id, name):
        return True
    return any(name == client_order_id(state.plan.session_id, number) for number in range(state.order_count))


def _foreign_orders(state: State, statement: Statement) -> Iterator[str]:
    for listed in statement.open_orders:
        if listed.client_order_id not in state.dealt.foreign and not is_ours(state, listed.client_order_id):
            yield listed.client_order_id


def _differences(state: State, statement: Statement, foreign_moves: dict[str, Decimal]) -> Iterator[Difference]:
    for asset, theirs in (statement.balances or {}).items():
        if asset in state.dealt.before:
            ours = state.dealt.expected(asset) + foreign_moves.get(asset, Decimal(0))
            if ours != theirs:
                yield Difference(asset=asset, ours=ours, venue=theirs)


def _is_at_rest(state: State, statement: Statement) -> bool:
    """Whether the statement and our books know the same executions, and none is about to come."""
    if any(order.stage in ("approved", "submitted", "unknown") for order in state.orders.values()):
        return False
    listed = {_key(each) for each in statement.executions}
    told = state.dealt.trades
    ours = {_key(each) for each in statement.executions if is_ours(state, each.word.client_order_id)}
    return ours <= set(told) and {name for name, at in told.items() if at > statement.since + OVERLAP} <= listed


def _moves(state: State, each: Execution) -> dict[str, Decimal]:
    word, quote = each.word, state.plan.config.quote
    return dict(moves_of(each.symbol, quote, each.side, (word.qty, word.price, word.fee, word.fee_asset)))


def _key(each: Execution) -> str:
    return trade_key(each.symbol, each.word.trade_id)


def in_words(found: Reconciliation) -> str:
    """What the comparison came to, both sides named."""
    told: Sequence[str] = [
        *(f"{each.asset}: ours {each.ours:f}, the venue's {each.venue:f}" for each in found.differences),
        *(f"order {name} is not ours" for name in found.foreign_orders),
        *(f"trade {name} is not ours" for name in found.foreign_trades),
    ]
    return "; ".join(told) or "the venue's books are ours"
