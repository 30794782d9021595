"""All that can happen to deliveries that repeat past events, beside live ones of their chain.

As in `test_delivery_model`, and of law 2 besides: what is replayed is not accepted for the first
time behind a newer one of its chain and route, unless it is forced or nobody could know that WSO2
took the newer one. What an operator asks for is done while any of it goes on; a command that was
done and not committed is done again.

A worker that died before it could say what it sent last leaves a queue that must be read again:
before, nothing older is put back. What nobody ever heard of cannot be kept to: that WSO2 took a
delivery before a worker died, and refused the same one afterwards.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

import pytest

from tests.model.laws import look
from tests.model.moves import Model
from tests.model.scenario import ACCEPTED, REQUIRED, Scenario, Told

BUSY: Final = frozenset({"busy"})
REFUSED: Final = frozenset({"refused"})
LOST: Final = frozenset({"refused", "lost", "late"})
NONE: Final = frozenset[str]()
LATEST: Final = replace(ACCEPTED, history="latest")
ASKED_LATEST: Final = replace(REQUIRED, history="latest")
OLDER: Final = Told(event=1, run=1)
NEWER: Final = Told(event=2)
NEWEST: Final = Told(event=3)
BEHIND: Final = Scenario(told=(OLDER, NEWER), queue=(1, 0), moves=0, outcomes=BUSY, slow=False)
FIRST: Final = replace(BEHIND, queue=(0, 1))
QUIET: Final = replace(BEHIND, crashes=0)

SMALL: Final = {
    "behind a newer one": BEHIND,
    "behind a newer one, the latest is enough": replace(BEHIND, terms=LATEST),
    "behind a newer one, a word": replace(BEHIND, terms=REQUIRED, words=1, crashes=0),
    "behind a newer one, a word, no answer": replace(
        BEHIND, terms=REQUIRED, words=1, outcomes=NONE, gate=False
    ),
    "before a newer one": FIRST,
    "before a newer one, the latest is enough": replace(FIRST, terms=LATEST),
    "between": replace(QUIET, told=(OLDER, NEWER, NEWEST), queue=(1, 0, 2)),
    "around a newer one": replace(
        QUIET, told=(OLDER, replace(NEWER, run=1), NEWEST), queue=(0, 2, 1)
    ),
    "a portion written twice": replace(FIRST, queue=(0, 1, 0), crashes=0, slow=True),
    "behind its original": replace(BEHIND, told=(Told(event=1), OLDER), queue=(0, 1)),
    "behind a later run": replace(
        QUIET, told=(OLDER, replace(OLDER, run=2), replace(NEWER, run=1)), queue=(0, 2, 1)
    ),
    "beside another route": replace(
        QUIET, told=(OLDER, replace(NEWER, route="prices")), queue=(1, 0)
    ),
    "forced behind a newer one": replace(
        BEHIND, told=(replace(OLDER, force_older=True), NEWER), terms=LATEST
    ),
    "given up, asked for again": replace(FIRST, outcomes=REFUSED, retries=1, crashes=0),
    "a newer one given up, asked for again": replace(
        QUIET, outcomes=REFUSED | BUSY, retries=1, slow=True
    ),
    "asked for again, the latest is enough": replace(
        FIRST, terms=LATEST, outcomes=REFUSED | BUSY, retries=1, crashes=0
    ),
    "one given up, asked for again after another was sent": replace(
        FIRST, told=(Told(), Told()), outcomes=REFUSED, retries=1, gate=False
    ),
    "one asked for again while it dies": replace(
        BEHIND, told=(OLDER,), queue=(0,), outcomes=REFUSED, retries=1
    ),
    "asked for again behind one of which no answer came": replace(
        BEHIND,
        told=(Told(), Told()),
        queue=(0, 1),
        outcomes=LOST,
        retries=1,
        crashes=0,
        gate=False,
    ),
    "behind one of which no answer came": replace(QUIET, outcomes=LOST),
    "a zombie": replace(QUIET, moves=1, outcomes=NONE, gate=False),
}
LARGE: Final = {
    "behind a newer one, all answers": replace(
        BEHIND, outcomes=frozenset({"busy", "refused", "away", "late", "lost"}), slow=True
    ),
    "before a newer one, all answers": replace(
        FIRST, outcomes=frozenset({"busy", "refused", "away", "late", "lost"})
    ),
    "behind a newer one, a word": replace(BEHIND, terms=REQUIRED, words=1, outcomes=NONE),
    "before a newer one, a word, the latest is enough": replace(
        FIRST, terms=ASKED_LATEST, words=1
    ),
    "between": replace(BEHIND, told=(OLDER, NEWER, NEWEST), queue=(1, 0, 2)),
    "asked for again behind one of which no answer came": replace(
        BEHIND, told=(Told(), Told()), queue=(0, 1), outcomes=LOST, retries=1, gate=False
    ),
    "asked for again behind a newer one": replace(
        BEHIND, outcomes=REFUSED | BUSY, retries=1, gate=False
    ),
}
DEEP: Final = {
    "a zombie behind a newer one": replace(QUIET, moves=1),
    "a zombie before a newer one": replace(FIRST, crashes=0, moves=1),
}


def _look(name: str, scenario: Scenario, *, complete: bool = True) -> None:
    found = look(Model(scenario))
    sys.stdout.write(f"{name}: {found}\n")
    assert not found.broken, str(found)
    assert found.complete or not complete, str(found)


@pytest.mark.parametrize("name", SMALL)
def test_law_1_2_and_5_hold_for_what_is_replayed(name: str) -> None:
    _look(name, SMALL[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_law_1_2_and_5_hold_for_what_is_replayed_in_larger_worlds(name: str) -> None:
    _look(name, LARGE[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_law_1_and_5_hold_in_the_first_states_of_larger_worlds(name: str) -> None:
    _look(name, replace(DEEP[name], most=300_000), complete=False)
