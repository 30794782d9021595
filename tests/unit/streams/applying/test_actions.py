"""Which methods lead from one state to another."""

from __future__ import annotations

import pytest

from streams.applying.actions import is_as_good, way
from streams.applying.settings import Action, Model

CONFIRM = Action("purchase", "button_confirm", frozenset(("draft", "sent")))
CANCEL = Action("cancel", "button_cancel", frozenset(("draft", "purchase")))
DRAFT = Action("draft", "button_draft", frozenset(("cancel",)))
APPROVED = Action(
    "purchase", "button_confirm", frozenset(("draft",)), accepts=frozenset(("to approve",))
)
ALL = (CONFIRM, CANCEL, DRAFT)


@pytest.mark.parametrize(
    ("now", "then", "methods"),
    [
        ("draft", "draft", []),
        ("draft", "purchase", ["button_confirm"]),
        ("cancel", "purchase", ["button_draft", "button_confirm"]),
        ("purchase", "draft", ["button_cancel", "button_draft"]),
        ("sent", "cancel", ["button_confirm", "button_cancel"]),
    ],
)
def test_the_fewest_actions_that_lead_there(now: str, then: str, methods: list[str]) -> None:
    found = way(ALL, now, then)

    assert found is not None
    assert [action.method for action in found] == methods


@pytest.mark.parametrize(("now", "then"), [("done", "purchase"), ("draft", "sent"), ("", "draft")])
def test_where_none_leads_there_is_no_way(now: str, then: str) -> None:
    assert way(ALL, now, then) is None


def test_a_state_may_be_accepted_in_the_place_of_another() -> None:
    model = Model("purchase.order", frozenset(), state_field="state", actions=(APPROVED,))

    assert is_as_good(model, "to approve", "purchase")
    assert not is_as_good(model, "to approve", "cancel")
    assert not is_as_good(model, "draft", "purchase")
