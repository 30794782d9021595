"""Laws that a request may break."""

from __future__ import annotations

from collections.abc import Sequence

from tests.model.stage import Stage
from tests.model.world import Call, Worker, World


def may_not_send(stage: Stage, world: World, role: str, worker: Worker, call: Call) -> str:
    """Name the law that a request breaks, "" for none."""
    slot, chain = call.slot, stage.chains[call.slot]
    if stage.archive.item(call.item).delivery != stage.scenario.deliveries[slot]:
        return f"law 3: {stage.name(slot)} goes out with other bytes"
    for other in worker.calls:
        if other.stage in ("open", "taken") and stage.chains[other.slot] == chain:
            return f"law 2: the {role} has two of a chain in flight"
    mates = [other for other in stage.slots if stage.chains[other] == chain]
    for older in mates[: mates.index(slot)]:
        if not (world.accepted | world.ended) & 1 << older:
            older_name = stage.name(older)
            return f"law 2: {stage.name(slot)} goes before {older_name} has an ending"
    if role == "owner" and not worker.stale:
        return _owner_may_not_send(stage, world, slot, mates)
    return ""


def _owner_may_not_send(stage: Stage, world: World, slot: int, mates: Sequence[int]) -> str:
    name = stage.name(slot)
    if stage.scenario.moves:
        return ""  # what a zombie wrote lately is not known here
    if stage.has_ended(world.log, slot) and not world.accepted & 1 << slot:
        return f"law 2: {name} goes out for the first time after its ending"
    for other in mates:
        if other > slot and world.accepted & 1 << other and not world.accepted & 1 << slot:
            newer = stage.name(other)
            return f"law 2: {name} goes for the first time after {newer} was accepted"
        number = world.log.items[other]
        ended = stage.has_ended(world.log, other)
        if other != slot and number and not ended and stage.archive.item(number).active:
            return f"law 2: {name} goes while {stage.name(other)} is in flight"
    return ""
