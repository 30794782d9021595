"""What `demo --once` has come to: in numbers for programs, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from embedded.demo.figures import Figures
from embedded.demo.questions import Comparison

SHOWN: Final = 5
"""Records that are named when something is wrong."""

Latency = Mapping[str, float | None]
"""Milliseconds by percentile: `p50`, `p99`; None where nothing came."""


def summarise(
    comparison: Comparison, figures: Figures, ledger: Mapping[str, int], undisturbed: Latency
) -> dict[str, Any]:
    """Return the summary as it is printed with --json.

    `figures` are of the end, `ledger` counts deliveries by state, `undisturbed` is the latency
    before anything was killed.
    """
    shop = figures.shop
    return {
        "records": comparison.records,
        "lost": comparison.lost,
        "different": len(comparison.different),
        "out_of_order": shop["out_of_order"],
        "duplicates_accepted": shop["duplicates"],
        "latency_ms": _percentiles(shop["latency_ms"]),
        "latency_before_kills_ms": _percentiles(undisturbed),
        "deliveries": sum(ledger.values()),
        **ledger,
        "copies_dropped": max(0, figures.deliveries - sum(ledger.values())),
        "acknowledgements": figures.acknowledgements,
        "failed_on_purpose": shop["refused"],
    }


def is_clean(summary: Mapping[str, Any]) -> bool:
    """Whether nothing is missing, other than in the database, or out of order."""
    return not any(summary[name] for name in ("lost", "different", "out_of_order"))


def in_words(summary: Mapping[str, Any]) -> list[str]:
    """Say what the numbers mean, the verdict last."""
    ended = {name: f"{summary[name]:,}" for name in ("delivered", "superseded", "dead")}
    before, all_of_it = summary["latency_before_kills_ms"], summary["latency_ms"]
    return [
        _line(
            f"deliveries: {summary['deliveries']:,}, of which",
            f"{ended['delivered']} were acknowledged by the webshop, {ended['superseded']}",
            "superseded by a newer one of the same record while they waited for another try,",
            f"and {ended['dead']} given up; {summary['copies_dropped']:,} more were written twice",
            "by the worker that was killed, and are not sent twice",
        ),
        _line(
            f"acknowledgements: {summary['acknowledgements']:,}, one for each answer of the",
            f"webshop; {summary['failed_on_purpose']:,} were failures on purpose (of a hundred",
            "deliveries it refuses one and forgets to answer one)",
        ),
        _line(
            f"from commit to webshop: {_said(before)} before the first kill,",
            f"{_said(all_of_it)} with the outages",
        ),
        _verdict(summary),
    ]


def explain(comparison: Comparison) -> Iterator[str]:
    """Name some of the records that are wrong."""
    for what, keys in (
        ("missing", comparison.missing),
        ("should be gone", comparison.left),
        ("different", comparison.different),
    ):
        for key in keys[:SHOWN]:
            yield f"{what}: {key}"
        if len(keys) > SHOWN:
            yield f"{what}: and {len(keys) - SHOWN} more"


def _verdict(summary: Mapping[str, Any]) -> str:
    records = f"{summary['records']:,}"
    if not is_clean(summary):
        return (
            f"Failed: of {records} records that the webshop must hold as the database does,"
            f" {summary['lost']:,} are lost and {summary['different']:,} different;"
            f" {summary['out_of_order']:,} deliveries came out of order."
        )
    return (
        f"Passed: the webshop holds all {records} records (products, orders, partners) as the"
        " database does: none lost, different or out of order."
        f" {summary['duplicates_accepted']:,} deliveries came twice, which the webshop drops:"
        " that is how three kills and lost answers are survived."
    )


def _line(*parts: str) -> str:
    return " ".join(parts)


def _percentiles(latency: Latency) -> dict[str, float | None]:
    return {name: latency.get(name) for name in ("p50", "p99")}


def _said(latency: Latency) -> str:
    p50, p99 = latency["p50"], latency["p99"]
    if p50 is None or p99 is None:
        return "nothing came"
    return f"half within {p50:,.0f} ms and 99 of 100 within {p99:,.0f} ms"
