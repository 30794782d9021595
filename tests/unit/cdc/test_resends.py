"""Resends over a played Kafka: what is taken, what waits, and what a second life goes on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from cdc.engine.datum import Stamp
from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import Piece
from cdc.progress import Progress
from cdc.resending.added import added, take_added
from cdc.resending.last import Last, LastSent, Outcome, Standing, Told
from cdc.resending.resends import Resends
from cdc.resending.subject import Subject
from cdc.resending.truth import Truth
from schemas import domain, mapping
from schemas.command import Answer, Command
from schemas.command import Progress as Reached
from schemas.config import Route
from schemas.event import Event, Mode
from schemas.mapping import Writing
from schemas.topics import Topics
from tests.engine import PLAN, Engine, engine, insert, update

TIME = 848_656_800_000_000
MODEL = "sale.order"


class Came(NamedTuple):
    partition: int
    offset: int
    value: bytes


class Played:
    """Kafka: the events and answers that it was given, and commands that were written to it."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.answers: list[Answer] = []
        self.commands: list[Came] = []
        self.free = 500
        self.still = False
        self._at: Mapping[int, int] = {}

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        if topic == "results":
            self.answers.append(Answer.from_json(value))
        else:
            self.events.append(value)

    def flush(self) -> None: ...

    def begin(self, offsets: Mapping[int, int]) -> None:
        self._at = dict(offsets)
        self._left = [c for c in self.commands if c.offset >= self._at.get(c.partition, 0)]

    def come(self) -> list[Came]:
        found, self._left = self._left, []
        return found

    def room(self, way: str, deliveries: frozenset[str], now: float) -> int:
        return self.free

    def stands_still(self, way: str, deliveries: frozenset[str], now: float) -> bool:
        return self.still

    def filled(self, way: str, documents: int, now: float) -> None: ...

    def put(self, name: str, kind: str = "resend", **arguments: Any) -> None:
        command = Command(name, kind, arguments, "eve@host", "2026-11-23T10:00:00Z")
        came = Came(0, len(self.commands), command.to_json())
        self.commands.append(came)
        self._left.append(came)


def route(name: str, model: str = MODEL, *targets: str) -> Route:
    return Route(
        name, model, domain.parse([]), targets or ("shop",), model, mapping.parse_fields(["name"])
    )


class PlayedSent:
    """What a target was last sent; None until it is read."""

    def __init__(self) -> None:
        self.last: LastSent | None = None
        self.asked: list[tuple[str, str, str]] = []

    def known(self, name: str, model: str, target: str) -> LastSent | None:
        self.asked.append((name, model, target))
        return self.last

    def waits(self, name: str) -> str:
        return "it is being read" if self.asked and self.last is None else ""

    def end(self, name: str) -> None: ...


class PlayedWorkers:
    """Why routes cannot be served."""

    def __init__(self) -> None:
        self.why = ""

    def lack(self, model: str, routes: Iterable[str], now: float) -> str:
        return f"{self.why} {' '.join(routes)}" if self.why else ""


class World:
    """Five orders, and what sends them again."""

    def __init__(self, tried: Engine) -> None:
        self.sent_before, self.workers = PlayedSent(), PlayedWorkers()
        self.kafka, self.tried = Played(), tried
        tried.shadow.note(PROGRESS, {"lsn": 1, **Progress().to_json()})
        topics = {root.rank: Topic(root.shape.model, 1) for root in PLAN.roots}
        self.epoch = Epoch(self.kafka, tried.shadow, topics)
        self.routes = [route("orders", MODEL, "shop", "erp"), route("people", "res.partner")]
        tried.commit([insert("sale_order", {"id": str(n), "name": f"S{n}"}) for n in range(1, 6)])
        self.epoch.end()
        self.passing = False
        self.resends: Resends
        self.live()

    def live(self) -> None:
        """Begin, or begin again as after a kill."""
        self.epoch.reset()
        roots = {root.shape.model: root for root in PLAN.roots}
        subject = Subject(
            Topics("odoo_a"), roots, self.routes, Writing("odoo_a"), passing=self.passing
        )
        made = (self.tried.shadow, self.epoch, self.tried.events, subject)
        self.resends = Resends(
            *made,
            self.kafka,
            self.kafka,
            Topic("results", 1),
            self.sent_before,
            self.workers,
        )
        self.resends.begin_again()

    def attend(self, now: float = 0.0) -> list[Answer]:
        """Take what has come; return what is said."""
        before = len(self.kafka.answers)
        if self.resends.attend(now):
            self.epoch.end()
        return self.kafka.answers[before:]

    def mark(self, lsn: int) -> Piece | None:
        """Come to the mark of the next piece, where there is one."""
        piece = self.resends.next(0.0)
        if piece is not None:
            self.resends.go_on(piece, Stamp(lsn, TIME, mode=Mode.RESEND))
        return piece

    def all(self) -> list[Answer]:
        """Go on until there is nothing; return the last words."""
        lsn = 0x1000
        while self.mark(lsn) is not None:
            lsn += 0x10
        return [a for a in self.kafka.answers if a.progress is not Reached.DOING]

    def sent(self) -> list[Event]:
        return [self.tried.book.decode(value) for value in self.kafka.events]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with engine(tmp_path) as tried:
        yield World(tried)


def test_all_goes_out_in_pieces_each_at_its_mark(world: World) -> None:
    world.kafka.free = 2
    world.kafka.put("r1", model=MODEL, all=True, routes=["orders"], targets=["erp"])
    (first,) = world.attend()[:1]

    (done,) = world.all()

    sent = world.sent()
    assert [(e.id, e.position.lsn, e.position.ordinal) for e in sent] == [
        (1, 0x1000, 1),
        (2, 0x1000, 2),
        (3, 0x1010, 1),
        (4, 0x1010, 2),
        (5, 0x1020, 1),
    ]
    assert {(e.mode, e.before_known, e.routes, e.targets) for e in sent} == {
        (Mode.RESEND, False, ("orders",), ("erp",))
    }
    assert (first.id, first.progress, first.worker) == ("r1", Reached.DOING, "capture")
    assert (done.progress, done.counts["documents"]) == (Reached.DONE, 5)
    assert not world.resends.busy


def test_without_limits_an_event_is_for_all(world: World) -> None:
    world.kafka.put("r1", model=MODEL, ids=[3, 3, 2])
    world.attend()
    world.all()

    assert [(e.id, e.routes, e.targets) for e in world.sent()] == [
        (2, None, None),
        (3, None, None),
    ]


def test_a_domain_is_asked_of_the_document_as_it_is_at_the_mark(world: World) -> None:
    world.kafka.put("r1", model=MODEL, domain=[["name", "=", "now"]])
    world.attend()
    world.tried.commit([update("sale_order", {"id": "4", "name": "now"})])

    (done,) = world.all()

    assert [e.id for e in world.sent()] == [4]
    assert (done.counts["looked"], done.counts["documents"]) == (5, 1)


def test_law_1_what_was_not_durable_goes_out_again_and_nothing_is_left_out(world: World) -> None:
    world.kafka.free = 2
    world.kafka.put("r1", model=MODEL, all=True)
    world.attend()
    world.mark(0x1000)
    world.live()
    piece = world.resends.next(0.0)
    assert piece is not None
    world.resends.epoch = cast("Epoch", Killed(world.epoch))
    with pytest.raises(KeyboardInterrupt):
        world.resends.go_on(piece, Stamp(0x2000, TIME, mode=Mode.RESEND))
    world.live()

    (done,) = world.all()

    assert [e.id for e in world.sent()] == [1, 2, 3, 4, 3, 4, 5]
    assert done.counts["documents"] == 5


class Killed:
    """An epoch that hands everything to Kafka and never comes to its end."""

    def __init__(self, epoch: Epoch) -> None:
        self.progress = epoch.progress
        self.publish, self.tell = epoch.publish, epoch.tell

    def end(self) -> None:
        raise KeyboardInterrupt


def test_law_1_a_command_that_was_taken_and_not_durable_comes_again(world: World) -> None:
    world.kafka.put("r1", model=MODEL, all=True)
    world.resends.attend(0.0)  # and no epoch ended
    world.live()
    world.attend()

    assert [a.counts["documents"] for a in world.all()] == [5]


def test_a_command_is_done_once_however_often_it_is_read(world: World) -> None:
    world.kafka.put("r1", model=MODEL, ids=[1])
    world.attend()
    world.all()
    world.live()
    world.kafka.begin({})  # a topic that is read again from its beginning
    world.attend()
    world.kafka.put("r1", model=MODEL, ids=[1])  # and one that was written twice
    world.attend()
    world.all()

    assert [e.id for e in world.sent()] == [1]


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"due": {MODEL: 2}}, f"what was put off of {MODEL}, or is recovered, goes first"),
        (
            {"waiting": {MODEL}, "paused": {MODEL: "sale.order.name is gone"}},
            f"{MODEL} waits: sale.order.name is gone",
        ),
        (
            {"waiting": {MODEL}, "absent": {"sale_order"}},
            f"{MODEL} waits: the stream leaves out sale_order",
        ),
    ],
    ids=["due", "paused", "left out"],
)
def test_law_1_it_waits_for_what_is_older_and_says_so(
    world: World, held: dict[str, Any], why: str
) -> None:
    world.kafka.put("r1", model=MODEL, all=True)
    world.epoch.progress = replace(world.epoch.progress, **held)

    assert world.attend()[-1].why == why
    assert world.mark(0x3000) is None


def test_one_that_loads_waits_says_so_and_lets_others_go(world: World) -> None:
    world.epoch.progress.waiting.add(MODEL)
    world.kafka.put("r1", model=MODEL, all=True)
    world.kafka.put("r2", model="res.partner", ids=[1])
    told = {answer.id: answer.why for answer in world.attend()}
    assert told == {"r1": "sale.order is being loaded", "r2": ""}
    assert [answer.id for answer in world.all()] == ["r2"]

    world.epoch.progress.waiting.clear()
    world.epoch.progress.published[MODEL] = 3
    (said,) = world.attend(1.0)
    assert said.why == "the first load of sale.order goes first"
    assert world.mark(0x3000) is None

    world.epoch.progress.published.clear()
    assert [answer.id for answer in world.all()] == ["r2", "r1"]


def test_while_documents_lack_what_the_file_needs_all_wait_for_it(world: World) -> None:
    world.passing = True
    world.live()
    world.kafka.put("r1", model=MODEL, domain=[["amount_total", "=", 0]], dry_run=True)
    world.kafka.put("r2", model="of.another.file", all=True)
    told = {answer.id: answer.why for answer in world.attend()}
    assert set(told.values()) == {"what the file needs is being read"}
    assert world.mark(0x1000) is None

    world.passing = False
    world.live()
    assert {a.id: a.progress for a in world.all()} == {"r1": Reached.DONE, "r2": Reached.FAILED}


def test_one_after_the_other_and_what_only_counts_first(world: World) -> None:
    world.kafka.free, world.kafka.still = 0, True
    for name, dry_run in (("r1", False), ("r2", False), ("r3", True)):
        world.kafka.put(name, model=MODEL, all=True, dry_run=dry_run)
    world.attend()
    assert [a.id for a in world.all()] == ["r3"]
    assert not world.kafka.events

    told = {answer.id: answer.why for answer in world.attend(1.0)}
    assert told["r1"].startswith("the queues are full")
    assert told["r2"] == "r1 goes first"
    world.kafka.free = 500
    assert [a.id for a in world.all()] == ["r3", "r1", "r2"]


def test_a_look_counts_what_each_route_says(world: World) -> None:
    world.routes[0] = Route(
        "orders",
        MODEL,
        domain.parse([["name", "in", ["S1", "S2"]]]),
        ("shop", "erp"),
        MODEL,
        mapping.parse_fields(["name"]),
        on_leave="delete",
    )
    world.live()
    world.kafka.put("r1", model=MODEL, ids=[1, 2, 3, 77], targets=["erp"], dry_run=True)
    world.attend()

    (done,) = world.all()

    assert {name: n for name, n in done.counts.items() if "/" in name} == {
        "orders/erp/update": 2,
        "orders/erp/delete": 2,
    }
    assert (done.counts["gone"], done.counts["of"], done.counts["reached"]) == (1, 4, 4)


def test_it_is_cancelled_between_two_pieces_and_while_a_mark_is_on_its_way(world: World) -> None:
    world.kafka.free = 2
    world.kafka.put("r1", model=MODEL, all=True)
    world.attend()
    world.mark(0x1000)
    piece = world.resends.next(0.0)
    world.kafka.put("c1", "cancel_resend", id="r1")
    world.kafka.put("c2", "cancel_resend", id="r1")
    told = {a.id: (a.progress, dict(a.counts)) for a in world.attend()}
    assert piece is not None
    world.resends.go_on(piece, Stamp(0x2000, TIME, mode=Mode.RESEND))

    assert told["r1"][0] is Reached.CANCELLED
    assert told["c1"] == (Reached.DONE, {"cancelled": 1, "documents": 2})
    assert told["c2"] == (Reached.DONE, {})
    assert [e.id for e in world.sent()] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"model": "sale.ordre", "all": True}, 'did you mean "sale.order"?'),
        ({"model": MODEL, "all": True, "routes": ["people"]}, "no route of sale.order is named"),
        ({"model": MODEL, "all": True, "targets": ["shpo"]}, 'did you mean "shop"?'),
        ({"model": MODEL}, "has ids, a domain, or is of all"),
        ({"model": MODEL, "domain": [["nme", "=", 1]]}, 'sale.order does not show "nme"'),
        ({"model": MODEL, "domain": [["name", "is", 1]]}, "is"),
        ({"model": MODEL, "domain": [["name", "child_of", 1]]}, "--domain: "),
        ({"model": MODEL, "all": True, "from": "here"}, "`from` is not known"),
    ],
    ids=str,
)
def test_law_10_what_cannot_be_fails_with_a_remedy(
    world: World, arguments: dict[str, Any], why: str
) -> None:
    world.kafka.put("r1", **arguments)

    (answer,) = world.attend()

    assert answer.progress is Reached.FAILED
    assert why in answer.why
    assert "; " in answer.why
    assert not world.resends.busy


def test_law_10_one_whose_route_is_gone_from_the_file_fails_when_it_goes_on(world: World) -> None:
    world.kafka.free = 2
    world.kafka.put("r1", model=MODEL, all=True, routes=["orders"])
    world.attend()
    world.mark(0x1000)
    world.routes[0] = route("others")
    world.live()

    (failed,) = world.all()

    assert failed.progress is Reached.FAILED
    assert 'no route of sale.order is named "orders"' in failed.why


MAPPED = route("orders", MODEL, "shop", "erp")


def told(number: int, name: str | None, *, sequence: str = "1", seen: bool = True) -> Told:
    """Return a delivery of an order that shows a name, or None: that it is gone."""
    last = Last(Standing.GONE, b"")
    if name is not None:
        truth = Truth.of(MAPPED, PLAN.roots[0].shape, Writing("odoo_a"))
        last = Last(Standing.HELD, truth.digest({"id": number, "name": name}))
    return Told(f"{number}/{sequence}", number, "orders", sequence, last, seen)


def last_sent(path: Path, *deliveries: Told, failed: tuple[str, ...] = ()) -> LastSent:
    made = LastSent.begin(path)
    made.note((each.id, Outcome.TAKEN) for each in deliveries)
    made.note((name, Outcome.FAILED) for name in failed)
    made.told(deliveries)
    made.complete(forgets=False)
    return made


def test_a_drift_sends_only_what_differs_and_waits_until_it_is_known(
    world: World, tmp_path: Path
) -> None:
    world.kafka.put("r0", model=MODEL, all=True, targets=["erp"], drift=True, dry_run=True)
    world.kafka.put("r1", model=MODEL, all=True, targets=["erp"], drift=True)
    said = {answer.id: answer.why for answer in world.attend()}
    assert set(said.values()) == {"it is being read"}
    assert world.mark(0x900) is None
    assert world.sent_before.asked[0] == ("r0", MODEL, "erp")

    world.sent_before.last = last_sent(
        tmp_path / "last",
        told(1, "S1"),
        told(2, "other"),
        told(3, "S3"),
        told(3, None, sequence="2"),
        told(4, "old"),
        told(4, "S4", sequence="2"),
        told(9, "S9"),
        failed=("4/2",),
    )
    counts = {answer.id: answer.counts for answer in world.all()}

    sent = world.sent()
    assert [(e.id, e.routes, e.targets, e.after is None) for e in sent] == [
        (2, ("orders",), ("erp",), False),
        (3, ("orders",), ("erp",), False),
        (4, ("orders",), ("erp",), False),
        (5, ("orders",), ("erp",), False),
        (9, ("orders",), ("erp",), True),
    ]
    assert len({e.position for e in sent}) == len(sent)
    for name in ("r0", "r1"):
        found = {each: n for each, n in counts[name].items() if "/" not in each}
        assert found == {
            "looked": 6,
            "documents": 5,
            "gone": 1,
            "of": 9,
            "reached": 9,
            "same": 1,
            "differs": 2,
            "lacking": 2,
            "surplus": 1,
        }


def take(world: World, *routes: Route, loading: tuple[str, ...] = ()) -> None:
    """Have a file with these routes."""
    world.routes = list(routes)
    take_added(world.tried.shadow, routes, loading, 1)
    world.epoch.end()
    world.live()


def test_a_route_that_comes_later_gets_what_is_there_once_and_others_hear_nothing(
    world: World,
) -> None:
    orders, more = world.routes[0], route("more", MODEL, "erp")
    take(world, orders)
    assert not world.resends.busy
    take(world, orders, more)
    world.workers.why = "they go by another file"
    (told,) = world.attend()
    assert (told.why, world.mark(0x100)) == ("they go by another file more", None)
    world.workers.why = ""
    world.kafka.free = 2
    world.mark(0x1000)

    world.live()  # killed, and the same file once more
    take(world, orders, more)
    (done,) = world.all()

    sent = world.sent()
    assert [e.id for e in sent] == [1, 2, 3, 4, 5]
    assert {(e.mode, e.routes, e.targets) for e in sent} == {(Mode.SNAPSHOT, ("more",), None)}
    assert {(e.before_known, e.before) for e in sent} == {(True, None)}
    assert done.progress is Reached.DONE
    take(world, orders, more)
    assert not world.resends.busy


@pytest.mark.parametrize(
    ("before", "after", "loading", "models"),
    [
        (["a"], ["a", "b"], (), {MODEL: ("b",)}),
        (["a"], ["b"], (), {MODEL: ("b",)}),
        (["a"], ["a", "b"], (MODEL,), {}),
        (["a", "b"], ["a"], (), {}),
        ([], ["a", "b"], (), {MODEL: ("a", "b")}),
    ],
    ids=["one more", "renamed", "the first load goes on", "one less", "two"],
)
def test_which_routes_are_loaded(
    before: list[str], after: list[str], loading: tuple[str, ...], models: dict[str, Any]
) -> None:
    routes = [route(name) for name in after]
    assert added(dict.fromkeys(before, MODEL), routes, loading) == models


def test_one_that_wants_nothing_or_is_of_another_model_now() -> None:
    known = {"a": MODEL, "b": MODEL}
    silent = replace(route("c"), initial_load=False)
    assert added(known, [route("a", "res.partner"), silent], ()) == {"res.partner": ("a",)}


def test_a_shadow_that_knows_no_routes_takes_all_as_known(world: World) -> None:
    take(world, *world.routes, route("more"))
    assert not world.resends.busy


def test_what_others_are_asked_is_left_alone(world: World) -> None:
    world.kafka.put("p1", "pause", target="shop")
    world.kafka.commands.append(Came(0, 1, b"no command"))
    world.kafka.begin({0: 0})

    assert world.attend() == []
    assert world.resends.next(0.0) is None
