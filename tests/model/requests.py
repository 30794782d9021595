"""Laws that a request may break."""

from __future__ import annotations

from schemas.state import State
from streams.chains.ledger import UNCLEAR
from tests.model.scenario import filled, read_of
from tests.model.stage import Stage
from tests.model.world import Call, Worker, World


def may_not_send(stage: Stage, world: World, role: str, worker: Worker, call: Call) -> str:
    """Name the law that a request breaks, "" for none."""
    slot, chain = call.slot, stage.chains[call.slot]
    if not _right_bytes(stage, world, call):
        return f"law 3: {stage.name(slot)} goes out with other bytes"
    for other in worker.calls:
        if other.stage in ("open", "taken") and stage.chains[other.slot] == chain:
            return f"law 2: the {role} has two of a chain in flight"
    for older in stage.slots[:slot]:
        if stage.chains[older] == chain and _waits(stage, world, older, slot):
            return f"law 2: {stage.name(slot)} goes before {stage.name(older)} has an ending"
    if role == "owner" and not worker.stale:
        return _owner_may_not_send(stage, world, slot)
    return ""


def _right_bytes(stage: Stage, world: World, call: Call) -> bool:
    """Say whether it goes out as it is, and a draft as it was filled when it first went."""
    sent, told = stage.archive.item(call.item).delivery, stage.scenario.deliveries[call.slot]
    if not told.wants:
        return sent == told
    read, before = read_of(sent), world.bodies[call.slot]
    return sent == filled(told, read) and before in (0, read) and read > 0


def _waits(stage: Stage, world: World, older: int, slot: int) -> bool:
    """Say whether an older one of a chain still has to go before another.

    One that is replayed need not where it was not there yet, nor where it will not go.
    """
    if (world.accepted | world.ended) & 1 << older:
        return False
    if not stage.replayed(older):
        return True
    passed = any(world.accepted & 1 << newer for newer in stage.newer(older))
    return stage.place(older) < stage.place(slot) and not passed


def _owner_may_not_send(stage: Stage, world: World, slot: int) -> str:
    name = stage.name(slot)
    if stage.scenario.moves:
        return ""  # what a zombie wrote lately is not known here
    if stage.has_ended(world.log, slot) and not world.accepted & 1 << slot:
        return f"law 2: {name} goes out for the first time after its ending"
    if broken := _goes_too_late(stage, world, slot):
        return broken
    for other in stage.slots:
        if other == slot or stage.chains[other] != stage.chains[slot]:
            continue
        number, ended = world.log.items[other], stage.has_ended(world.log, other)
        if number and not ended and stage.archive.item(number).active:
            return f"law 2: {name} goes while {stage.name(other)} is in flight"
        revived = number and not ended and world.ended & 1 << other
        if other < slot and revived and not world.accepted & 1 << other:
            return f"law 2: {name} goes before {stage.name(other)}, which was put back"
    return ""


def _goes_too_late(stage: Stage, world: World, slot: int) -> str:
    """Law 2: nothing is accepted for the first time behind a newer one.

    What is replayed goes by those of its route alone. It goes also where nobody could know of an
    acceptance, and so does what was put back.
    """
    if stage.forced(slot) or world.accepted & 1 << slot:
        return ""
    replayed = stage.replayed(slot)
    again = replayed or world.ended & 1 << slot
    for newer in stage.newer(slot) if replayed else stage.later(slot):
        if world.accepted & 1 << newer and not (again and _unheard(stage, world, slot, newer)):
            newest = stage.name(newer)
            return f"law 2: {stage.name(slot)} goes for the first time after {newest} was accepted"
    return ""


def _unheard(stage: Stage, world: World, older: int, newer: int) -> bool:
    """Say whether WSO2 took a newer one unheard.

    Who made the attempt knows that it may be so; nobody does where that one was killed before it
    could say. An older one of which it is as unclear goes again, in its order.
    """
    entry = stage.entry(world.log, newer)
    if entry is not None and State.ACCEPTED.value in entry.times:
        return False
    if _unclear(stage, world, newer):
        return _unclear(stage, world, older)
    return entry is not None and entry.state is State.DEAD and stage.scenario.crashes > 0


def _unclear(stage: Stage, world: World, slot: int) -> bool:
    """Say whether an attempt at it is on record that WSO2 may have taken unheard."""
    entry, number = stage.entry(world.log, slot), world.log.items[slot]
    waits = bool(number) and stage.archive.item(number).unclear is not None
    return waits or (entry is not None and UNCLEAR in entry.times)
