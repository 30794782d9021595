"""What a worker opens towards the outside in production: WSO2, acknowledgements, health."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.config import Config
from streams.http.health import Health
from streams.http.intake import Intake, Response
from streams.kafka.records import Places
from streams.kafka.writer import Writer
from streams.worker.app import Worker
from streams.worker.serve import Edges
from streams.wso2.sender import Wso2Sender


def production() -> Edges:
    """Return the edges of `odoo-cdc stream`."""
    return Edges(_sender, (_intake, _health))


def _sender(config: Config) -> Wso2Sender:
    return Wso2Sender(config.wso2)


def _intake(config: Config, made: Worker) -> Intake:
    def count(status: str) -> None:
        made.metrics.count("acknowledgements_refused", status)

    intake = Intake(config.acks, _Responses(made.places, made.writer), count=count)
    made.reloading.also.append(lambda other: intake.adopt(other.acks))
    return intake


def _health(config: Config, made: Worker) -> Health:
    return Health(config.health.listen, made.reasons, made.text)


class _Responses:
    """Writes acknowledgements beside their chains."""

    def __init__(self, places: Places, writer: Writer) -> None:
        self._places = places
        self._writer = writer

    async def __call__(self, responses: Sequence[Response]) -> None:
        await self._writer.write([self._places.response(r.chain, r.value) for r in responses])
