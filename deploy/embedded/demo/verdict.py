"""What `demo --once` has come to: in numbers for programs, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from embedded.demo.branch.questions import Difference
from embedded.demo.figures import Figures, Side
from embedded.demo.questions import Comparison

SHOWN: Final = 5
"""Records that are named when something is wrong."""

Latency = Mapping[str, float | None]
"""Milliseconds by percentile: `p50`, `p99`; None where nothing came."""


class Account(NamedTuple):
    """A target's deliveries by the state they ended in, and its latency before the first kill."""

    ledger: Mapping[str, int]
    undisturbed: Latency


def of_webshop(comparison: Comparison, figures: Figures, account: Account) -> dict[str, Any]:
    """Return what is printed of the webshop with --json; `figures` are of the end."""
    shop = figures.shop
    return {
        "records": comparison.records,
        "lost": comparison.lost,
        "different": len(comparison.different),
        "out_of_order": shop["out_of_order"],
        "duplicates_accepted": shop["duplicates"],
        **_account(figures.webshop, account),
        "failed_on_purpose": shop["refused"],
    }


def of_branch(odoo: str, difference: Difference, side: Side, account: Account) -> dict[str, Any]:
    """Return what is printed of the branch with --json, beside the webshop's: `branch`.

    `odoo` is what its Odoo is called.
    """
    comparison = difference.comparison
    return {
        "odoo": odoo,
        "records": comparison.records,
        **difference.counts,
        "purchase_orders_cancelled": difference.ended,
        "lost": comparison.lost,
        "different": len(comparison.different),
        "double": len(difference.double),
        "duplicates_dropped": side.duplicates,
        **_account(side, account),
    }


def _account(side: Side, account: Account) -> dict[str, Any]:
    deliveries = sum(account.ledger.values())
    return {
        "latency_ms": _percentiles(side.latency),
        "latency_before_kills_ms": _percentiles(account.undisturbed),
        "deliveries": deliveries,
        **account.ledger,
        "copies_dropped": max(0, side.deliveries - deliveries),
        "acknowledgements": side.acknowledgements,
    }


def is_clean(summary: Mapping[str, Any]) -> bool:
    """Whether nothing is missing, other than in the database, out of order, or there twice."""
    branch = summary["branch"]
    return not (
        any(summary[name] for name in ("lost", "different", "out_of_order"))
        or any(branch[name] for name in ("lost", "different", "double"))
    )


def in_words(summary: Mapping[str, Any]) -> list[str]:
    """Say what the numbers mean, the verdict last."""
    branch = summary["branch"]
    return [
        _line(
            f"deliveries to the webshop: {_ended(summary, 'the webshop')};",
            f"{summary['copies_dropped']:,} more were written twice",
            "by the worker that was killed, and are not sent twice",
        ),
        _line(
            f"acknowledgements: {summary['acknowledgements']:,}, one for each answer of the",
            f"webshop; {summary['failed_on_purpose']:,} were failures on purpose (of a hundred",
            "deliveries it refuses one and forgets to answer one)",
        ),
        f"from commit to webshop: {_before_and_after(summary)}",
        _line(
            f"deliveries to the branch's Odoo ({branch['odoo']}):",
            f"{_ended(branch, 'its target service')};",
            f"{branch['acknowledgements']:,} acknowledgements, one for each answer: what needs a",
            "record that is not there yet is sent again",
        ),
        f"from commit to the branch's answer: {_before_and_after(branch)}",
        _line(
            f"the branch has {branch['products']:,} products in {branch['variants']:,} variants,",
            f"{branch['partners']:,} partners, and of sales {branch['purchase_orders']:,}",
            f"confirmed purchase orders with {branch['purchase_order_lines']:,} lines;",
            f"{branch['purchase_orders_cancelled']:,} more are cancelled, as their sales are",
        ),
        _verdict(summary),
    ]


def explain(comparison: Comparison, difference: Difference) -> Iterator[str]:
    """Name some of the records that are wrong."""
    for what, keys in (
        *_wrong("", comparison),
        *_wrong("branch: ", difference.comparison),
        ("branch: double", difference.double),
    ):
        for key in keys[:SHOWN]:
            yield f"{what}: {key}"
        if len(keys) > SHOWN:
            yield f"{what}: and {len(keys) - SHOWN} more"


def _wrong(where: str, comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    yield f"{where}missing", comparison.missing
    yield f"{where}should be gone", comparison.left
    yield f"{where}different", comparison.different


def _verdict(summary: Mapping[str, Any]) -> str:
    branch = summary["branch"]
    records, there = f"{summary['records']:,}", f"{branch['records']:,}"
    if not is_clean(summary):
        return (
            f"Failed: of {records} records that the webshop must hold as the database does,"
            f" {summary['lost']:,} are lost and {summary['different']:,} different;"
            f" {summary['out_of_order']:,} deliveries came out of order. Of {there} that the"
            f" branch must have, {branch['lost']:,} are lost, {branch['different']:,} different"
            f" and {branch['double']:,} double."
        )
    return (
        f"Passed: the webshop holds all {records} records (products, orders, partners) as the"
        " database does: none lost, different or out of order. The branch's Odoo"
        f" ({branch['odoo']}) has all {there} of its own (products, variants, partners, purchase"
        " orders with their lines) as the database does: none lost, different or double."
        f" {summary['duplicates_accepted']:,} deliveries came twice to the webshop and"
        f" {branch['duplicates_dropped']:,} to the branch, which drop them:"
        " that is how four kills and lost answers are survived."
    )


def _ended(account: Mapping[str, Any], who: str) -> str:
    ended = {name: f"{account[name]:,}" for name in ("delivered", "superseded", "dead")}
    return _line(
        f"{account['deliveries']:,}, of which",
        f"{ended['delivered']} were acknowledged by {who}, {ended['superseded']}",
        "superseded by a newer one of the same record while they waited for another try,",
        f"and {ended['dead']} given up",
    )


def _before_and_after(account: Mapping[str, Any]) -> str:
    before, all_of_it = account["latency_before_kills_ms"], account["latency_ms"]
    return f"{_said(before)} before the first kill, {_said(all_of_it)} with the outages"


def _line(*parts: str) -> str:
    return " ".join(parts)


def _percentiles(latency: Latency) -> dict[str, float | None]:
    return {name: latency.get(name) for name in ("p50", "p99")}


def _said(latency: Latency) -> str:
    p50, p99 = latency["p50"], latency["p99"]
    if p50 is None or p99 is None:
        return "nothing came"
    return f"half within {p50:,.0f} ms and 99 of 100 within {p99:,.0f} ms"
