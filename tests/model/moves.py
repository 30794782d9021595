"""What can happen next in the small world.

What a worker does between two effects is one move; an effect is a request that leaves, an answer
that comes, a record that Kafka has. Between any two moves a worker may die, or lose the partition
without knowing it. Where the moves come from:

    taking a batch, sending on, an answer      forward.py, `Forwarder.deliver` and `_send`
    an answer that takes too long              forward.py and sending/calls.py, `Call.within`
    a flush, record by record                  partitions/committer.py, `Committer._publish`
    records of others                          committer.py, `_Ends` and `_catch_up`
    what falls due                             timer.py, `Timer._claim` and `_send`
    words                                      responses.py, `acknowledge`
    opening a partition                        worker/app.py, `Worker.assigned`
    committing offsets                         worker/at_least_once.py

There is no clock: what has a time may fall due at any moment, so every clock is right. A flush
may come through in any order that Kafka's producer allows: in order within a topic. The gate may
close before any call. `outside`, `batches` and `flushes` have the moves; who holds the partition
is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.model.batches import Batches
from tests.model.contents import Held
from tests.model.flushes import Flushes
from tests.model.outside import Outside, Shop
from tests.model.scenario import Scenario
from tests.model.search import Step
from tests.model.stage import Stage
from tests.model.world import Moves, Worker, World


def by_sequence(holds: int, comes: int) -> int:
    """Keep the newest, as a target does that compares `sequence`."""
    return max(holds, comes)


@dataclass
class Model:
    """The small world of a scenario."""

    scenario: Scenario
    shop: Shop = by_sequence
    stage: Stage = field(init=False)
    outside: Outside = field(init=False)
    batches: Batches = field(init=False)
    flushes: Flushes = field(init=False)

    def __post_init__(self) -> None:
        self.stage = Stage(self.scenario)
        self.outside = Outside(self.stage, self.shop)
        self.batches = Batches(self.stage, self.outside)
        self.flushes = Flushes(self.stage)

    def first(self) -> World:
        """Return the beginning: everything is in the send queue, nobody is there."""
        none = (0,) * len(self.stage.slots)
        return World(
            log=Held(none, none),
            letters=0,
            ended=0,
            committed=0,
            said=(),
            owner=None,
            zombie=None,
            orphans=0,
            accepted=0,
            taken=0,
            shop=(-1,) * len(set(self.stage.lines)),
            crashes=self.scenario.crashes,
            moves=self.scenario.moves,
            words=self.scenario.words,
            retries=self.scenario.retries,
            reads=none,
            bodies=none,
        )

    def following(self, world: World) -> Moves:
        """Return everything that may happen next."""
        if world.owner is None:
            yield Step("a worker opens the partition", self.opened(world))
        for role in ("owner", "zombie"):
            worker = getattr(world, role)
            if worker is not None:
                yield from self.flushes.moves(world, role, worker)
                yield from self.batches.moves(world, role, worker)
        yield from self._group(world)
        yield from self.outside.moves(world)

    def opened(self, world: World) -> World:
        at = world.committed
        worker = Worker(world.log, at, at, world.said, behind=world.reached)
        return world._replace(owner=worker)

    def _group(self, world: World) -> Moves:
        owner = world.owner
        for committed in sorted({world.committed, owner.done}) if owner is not None else ():
            how = f"having committed {committed} of the queue"
            if world.crashes:
                gone = world._replace(owner=None, crashes=world.crashes - 1, committed=committed)
                gone = self.outside.orphaned(gone, owner)
                yield Step(f"the owner is killed, {how}", gone._replace(did=False))
                if world.did:
                    yield Step(f"the owner is killed, {how} and the command", gone)
            if world.moves and world.zombie is None:
                moved = world._replace(
                    owner=None, zombie=owner, moves=world.moves - 1, committed=committed
                )
                yield Step(f"the owner, {how}, loses the partition and goes on", moved)
        if world.zombie is not None:
            yield Step("the zombie ends", self.without_zombie(world))

    def without_zombie(self, world: World) -> World:
        zombie = world.zombie
        return (
            world if zombie is None else self.outside.orphaned(world._replace(zombie=None), zombie)
        )
