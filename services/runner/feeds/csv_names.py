"""Which symbol a candle file holds, and which of those found a session takes."""

from collections.abc import Sequence
from pathlib import Path

from services.runner.feeds.csv_rows import Rows
from services.runner.feeds.csv_values import ValueRefused, symbol
from services.runner.feeds.port import FeedError
from services.runner.feeds.series import Series
from shared.schemas.lifecycle import Repair


def named(path: Path, rows: Rows, symbols: Sequence[str], *, alone: bool) -> tuple[list[Series], list[Repair]]:
    """A file's series by symbol.

    Without a column `symbol` the file's name tells, in capitals: its stem if the session knows that symbol, else what
    stands before the stem's last `-`. A session of a single symbol needs no telling when it is given a single
    (`alone`) such file.
    """
    source = str(path)
    series = [Series(source, name or _told_by(path, symbols, alone=alone), listed) for name, listed in rows.items()]
    whole, short = _names(path)
    if None not in rows or series[0].symbol in (whole, short):
        return series, []
    naming = Repair(rule="named as the session's only symbol", source=source, before=short, after=series[0].symbol)
    return series, [naming]


def _names(path: Path) -> tuple[str, str]:
    stem = path.stem.upper()
    return stem, stem.rpartition("-")[0] or stem


def _told_by(path: Path, symbols: Sequence[str], *, alone: bool) -> str:
    names = _names(path)
    for name in names:
        if name in symbols:
            return name
    if alone and len(symbols) == 1:
        return symbols[0]
    try:
        return symbol(names[1])
    except ValueRefused as error:
        raise FeedError(f"{path}: its name must tell the symbol, as in BTCUSDT-1m.csv: {error}") from None


def chosen(found: Sequence[Series], symbols: Sequence[str], *, only: bool) -> tuple[list[Series], list[Repair]]:
    """The series of a session in its order of symbols; those left out are told.

    With `only`, each of `symbols` must be there. Without, they are taken if all of them are; else all that is found.
    """
    by_symbol = _by_symbol(found)
    missing = [name for name in symbols if name not in by_symbol]
    if missing and only:
        places = ", ".join(dict.fromkeys(series.source for series in found))
        raise FeedError(f"{places}: no candles of {', '.join(missing)}; found {', '.join(by_symbol)}")
    if missing or not symbols:
        return list(found), []
    left_out = [
        Repair(rule="symbol left out, the session does not name it", source=series.source, before=series.symbol)
        for series in found
        if series.symbol not in symbols
    ]
    return [by_symbol[name] for name in symbols], left_out


def _by_symbol(found: Sequence[Series]) -> dict[str, Series]:
    by_symbol: dict[str, Series] = {}
    for series in found:
        earlier = by_symbol.setdefault(series.symbol, series)
        if earlier is not series:
            raise FeedError(f"{series.at(series.rows[0])}: {series.symbol} comes from {earlier.source} already")
    return by_symbol
