"""Anything, in any order: after each step the fold of the events is what the database holds.

What fails is written to `tests/seeds/failed.json`, step by step. Cut it to what it needs (any step
may go), name the file by what it shows, and add it: it is played from then on.
`--hypothesis-profile=deep` plays fifty times as much of the long one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests import faulty
from tests.stateful import shop
from tests.stateful.installation import LOSSES, Installation
from tests.stateful.writes import UNDONE

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres

pytestmark = pytest.mark.acceptance

SEEDS: Final = Path(__file__).parents[1] / "seeds"
FAILED: Final = SEEDS / "failed.json"

ID = st.integers(1, 4)
NUMBER = st.integers(1, 9)
WRITES = st.one_of(
    st.tuples(st.just("partner"), ID, NUMBER, NUMBER),
    st.tuples(st.just("tag"), ID, NUMBER),
    st.tuples(st.just("order"), ID, ID, NUMBER, NUMBER),
    st.tuples(st.just("note"), NUMBER, ID),
    st.tuples(st.just("line"), ID, NUMBER, ID),
    st.tuples(st.just("link"), ID, ID),
    st.tuples(st.just("unlink"), ID, ID),
    st.tuples(st.just("delete"), st.sampled_from(shop.ROWS), ID),
    st.tuples(st.just("memo"), st.sampled_from(shop.ROWS), NUMBER),
)
TABLES = st.tuples(
    st.sampled_from(["truncate", "add a column", "drop it", "rewrite"]),
    st.sampled_from(shop.ROWS),
)
SOME = st.lists(WRITES.map(list), min_size=1, max_size=3)
OPERATIONS = st.one_of(
    WRITES.map(list),
    WRITES.map(list),
    WRITES.map(list),
    TABLES.map(list),
    SOME.map(lambda some: [UNDONE, some]),
)
TRANSACTIONS = st.lists(st.lists(OPERATIONS, min_size=1, max_size=6), min_size=1, max_size=5)
FEW = st.lists(st.lists(OPERATIONS, min_size=1, max_size=4), max_size=2)
POINTS = (
    faulty.PUBLISHED,
    faulty.AFTER_KAFKA,
    faulty.AFTER_COMMIT,
    faulty.IN_TRANSACTION,
    faulty.RANGE,
)
FAULTS = st.none() | st.tuples(st.sampled_from(POINTS), st.integers(1, 5)).map(list)
OF_RECOVERY = st.none() | st.tuples(
    st.sampled_from((*POINTS, faulty.SLOT_DROPPED, faulty.SLOT_MADE)), st.integers(1, 5)
).map(list)
FORMS = st.fixed_dictionaries(
    {model: st.integers(0, len(forms) - 1) for model, forms in shop.FORMS.items()}
)


def step(
    **strategies: st.SearchStrategy[Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a rule that is written down as it is played, and kept where it fails."""

    def of(act: Callable[..., None]) -> Callable[..., None]:
        def played(self: Anything, **values: Any) -> None:
            self.played.append((act.__name__, values))
            with self.kept():
                getattr(self.installation, act.__name__)(**values)

        played.__name__ = act.__name__
        return rule(**strategies)(played)

    return of


class Anything(RuleBasedStateMachine):
    """Rules of an installation's steps."""

    def __init__(self, begin: Callable[[], Installation]) -> None:
        super().__init__()
        self.played: list[tuple[str, dict[str, Any]]] = []
        self.installation = begin().__enter__()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write down what was played where it fails; the last one stays."""
        try:
            yield
        except Exception:
            FAILED.write_text(json.dumps(self.played, indent=1) + "\n", encoding="utf-8")
            raise

    write = step(transactions=TRANSACTIONS)(Installation.write)
    live = step(fault=FAULTS, during=FEW)(Installation.live)
    leave_out = step(table=st.sampled_from(shop.ALL), gap=FEW, back=st.booleans())(
        Installation.leave_out
    )
    lose = step(what=st.sampled_from(sorted(LOSSES)), gap=FEW, fault=OF_RECOVERY)(
        Installation.lose
    )
    lose_shadow = step(gap=FEW, fault=OF_RECOVERY)(Installation.lose_shadow)
    reconfigure = step(forms=FORMS, fault=FAULTS)(Installation.reconfigure)
    session = step(first=FEW, forms=st.none() | FORMS, second=FEW, killed=st.booleans())(
        Installation.session
    )

    def teardown(self) -> None:
        try:
            with self.kept():
                self.installation.finish()
        finally:
            self.installation.__exit__()


@pytest.fixture(scope="module")
def begin(
    postgres: Postgres, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Installation]:
    """Begin an installation."""
    folder = tmp_path_factory.mktemp("installations")
    return lambda: Installation(postgres, kafka, folder)


def run(begin: Callable[[], Installation], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Anything(begin),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # each example takes seconds: what fails is shrunk by hand
            database=None,  # it is in `tests/seeds`
        ),
    )


def test_laws_1_to_4_hold_whatever_happens(begin: Callable[[], Installation]) -> None:
    run(begin, 2, 6)


@pytest.mark.slow
def test_laws_1_to_4_hold_whatever_happens_for_long(begin: Callable[[], Installation]) -> None:
    run(begin, settings.get_profile(settings.get_current_profile_name()).max_examples // 3, 15)


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*.json")), ids=lambda path: path.stem)
def test_laws_1_to_4_hold_where_they_failed_once(
    begin: Callable[[], Installation], seed: Path
) -> None:
    with begin() as installation:
        installation.play(json.loads(seed.read_text(encoding="utf-8")))
