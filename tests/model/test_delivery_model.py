"""All that can happen to a few deliveries: nothing is lost, and none overtakes another.

Each scenario is looked at exhaustively: workers die between any two effects, records of one flush
included; another takes over, while the first may not know it; answers are refused, late or lost;
the target's words come early, late, twice and contradict each other. What it holds itself to:

- law 1: what is behind the committed offset has an ending or waits, and where all goes well from
  any moment on, every delivery comes to an ending that is true;
- law 2: a delivery is sent for the first time only when each older one of its chain was accepted
  or has an ending; one of a chain in flight; one that has ended is not sent for the first time;
- law 3: the same bytes in every attempt, also where Odoo is asked for some of them and has
  others each time;
- law 5: a target that compares `sequence` ends with the newest that is said to be there.

A worker that has lost the partition and does not know it may say something older of a delivery
that has an ending, so for it the last of law 2 and the ledger's last word are left out: it can
repeat a delivery, or bring one back that had been given up, never lose one or let one overtake.
Drafts are looked at without one: what it has read of Odoo just then the new owner cannot know.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

import pytest

from tests.model.laws import look
from tests.model.moves import Model
from tests.model.scenario import ACCEPTED, REQUIRED, Scenario, Told

ALL: Final = frozenset({"busy", "refused", "away", "late", "lost"})
BUSY: Final = frozenset({"busy"})
LATEST: Final = replace(ACCEPTED, history="latest")
ASKED_LATEST: Final = replace(REQUIRED, history="latest")
ONE: Final = Scenario(told=(Told(),), queue=(0,), moves=0)
TWO: Final = Scenario(moves=0)

SMALL: Final = {
    "one dies": replace(TWO, outcomes=frozenset({"refused"})),
    "one dies, the latest is enough": replace(TWO, terms=LATEST, outcomes=BUSY),
    "one dies, all answers": replace(ONE, outcomes=ALL),
    "one dies, a word is required": replace(
        ONE, terms=REQUIRED, words=1, outcomes=BUSY, gate=False
    ),
    "two words": replace(
        ONE, terms=REQUIRED, crashes=0, words=2, outcomes=frozenset(), gate=False
    ),
    "a word, the latest is enough": replace(
        TWO, terms=ASKED_LATEST, crashes=0, words=1, outcomes=BUSY
    ),
    "a copy": replace(TWO, queue=(0, 1, 0), outcomes=frozenset({"refused"}), slow=False),
    "three": replace(
        TWO, told=(Told(),) * 3, queue=(0, 1, 2), terms=LATEST, crashes=0, outcomes=BUSY
    ),
    "two routes": replace(
        TWO,
        told=(Told(operation="leave"), Told(route="prices"), Told()),
        queue=(0, 1, 2),
        terms=LATEST,
        crashes=0,
        outcomes=BUSY,
    ),
    "two chains": replace(TWO, told=(Told(), Told(43)), crashes=0, outcomes=BUSY),
    "two steps in one flush": replace(
        TWO,
        terms=ASKED_LATEST,
        crashes=0,
        words=1,
        outcomes=frozenset(),
        gate=False,
        together=True,
    ),
    "a zombie": replace(ONE, crashes=0, moves=1, outcomes=BUSY, slow=False, gate=False),
    "a zombie, two deliveries": replace(
        TWO, crashes=0, moves=1, outcomes=frozenset(), slow=False, gate=False
    ),
}
DRAFT: Final = Told(draft=True)
DRAFTS: Final = {
    "a draft": replace(ONE, told=(DRAFT,), outcomes=ALL),
    "a draft and a word": replace(
        ONE, told=(DRAFT,), terms=REQUIRED, words=1, outcomes=BUSY, gate=False
    ),
    "a draft before another": replace(TWO, told=(DRAFT, Told()), outcomes=BUSY, slow=False),
    "a draft behind another": replace(TWO, told=(Told(), DRAFT), outcomes=BUSY, slow=False),
    "drafts of which the latest is enough": replace(
        TWO, told=(DRAFT, DRAFT), terms=LATEST, crashes=0, outcomes=frozenset({"withheld"})
    ),
    "a draft that Odoo does not give": replace(
        ONE, told=(DRAFT,), outcomes=frozenset({"withheld", "busy"})
    ),
}
FIRST: Final = {
    "a zombie, the latest is enough": replace(
        TWO, terms=LATEST, crashes=0, moves=1, outcomes=BUSY
    ),
    "a zombie and a word": replace(
        ONE, terms=REQUIRED, crashes=0, moves=1, words=1, outcomes=BUSY
    ),
}
LARGE: Final = {
    "one dies, all answers": replace(TWO, outcomes=ALL),
    "one dies, all answers, the latest is enough": replace(TWO, terms=LATEST, outcomes=ALL),
    "two die": replace(TWO, crashes=2, outcomes=frozenset({"busy", "refused"})),
    "two words": replace(ONE, terms=REQUIRED, words=2, outcomes=ALL),
    "a zombie, two deliveries": replace(TWO, crashes=0, moves=1, outcomes=frozenset()),
    "a zombie": replace(ONE, crashes=0, moves=1, outcomes=BUSY),
}
DEEP: Final = {
    "a zombie, all answers": replace(ONE, crashes=0, moves=1, outcomes=ALL),
    "a word": replace(TWO, terms=ASKED_LATEST, words=1, outcomes=BUSY),
    "a zombie": replace(TWO, crashes=0, moves=1, outcomes=ALL),
    "a zombie, the latest is enough": replace(TWO, terms=LATEST, crashes=0, moves=1, outcomes=ALL),
    "a zombie and a word": replace(ONE, terms=REQUIRED, moves=1, words=1, outcomes=BUSY),
}


def _look(name: str, scenario: Scenario, *, complete: bool) -> None:
    found = look(Model(scenario))
    sys.stdout.write(f"{name}: {found}\n")
    assert not found.broken, str(found)
    assert found.complete or not complete, str(found)


@pytest.mark.parametrize("name", SMALL)
def test_law_1_2_3_and_5_hold_whatever_happens(name: str) -> None:
    _look(name, SMALL[name], complete=True)


@pytest.mark.parametrize("name", DRAFTS)
def test_law_3_a_draft_goes_out_with_what_odoo_said_once(name: str) -> None:
    _look(name, DRAFTS[name], complete=True)


@pytest.mark.parametrize("name", FIRST)
def test_law_1_2_3_and_5_hold_whatever_happens_first(name: str) -> None:
    """The shortest of all that can happen; there is too much of it for every run."""
    _look(name, replace(FIRST[name], most=15_000), complete=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_law_1_2_3_and_5_hold_in_larger_worlds(name: str) -> None:
    _look(name, LARGE[name], complete=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_law_1_2_3_and_5_hold_in_the_first_million_states_of_larger_worlds(name: str) -> None:
    _look(name, replace(DEEP[name], most=1_000_000), complete=False)
