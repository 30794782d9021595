"""Everything that the demo runs on, and the order in which it is started and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from embedded import folders, jars, kafka, odoo, synapse
from embedded.demo import configuration
from embedded.demo.branch import odoo as branch
from embedded.demo.branch import questions, target
from embedded.demo.programs import Capture, StreamWorker, TargetService, set_up
from embedded.kafka import Kafka
from embedded.ports import LOOPBACK, free_ports
from embedded.postgres import Postgres
from embedded.process import Service
from embedded.synapse import Synapse
from embedded.webshop.server import Faults
from embedded.webshop.service import Webshop
from schemas.config import load
from streams.flow.artifacts import generate

DATABASE: Final = "odoo"
FAULTS: Final = Faults(refuse=0.01, forget=0.01, delay=0.01, seconds=0.3)
"""As targets are: away now and then, slow now and then, and sometimes the answer is lost."""

PATIENCE: Final = 15
"""Seconds in which a delivery to the branch is answered."""
PATIENCE_WITH_ODOO: Final = 60

SETTINGS: Final = {"max_slot_wal_keep_size": "2GB"}
"""So that a capture that stands still cannot fill the disk; `check` asks for it."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """All services and programs; those of ours are not started yet.

    `before` are the highest ids of what the branch had before anything came.
    """

    folder: Path
    config: Path
    dsn: str
    postgres: Postgres
    kafka: Kafka
    synapse: Synapse
    webshop: Webshop
    capture: Capture
    stream: StreamWorker
    target: TargetService
    branch: branch.Odoo
    before: Mapping[str, int]

    @property
    def services(self) -> tuple[Service, ...]:
        """Every process, in the order of the data."""
        return (
            self.postgres,
            self.capture,
            self.kafka,
            self.stream,
            self.synapse,
            self.webshop,
            self.target,
            self.branch,
        )


def fetch(progress: Callable[[str, int, int], None]) -> None:
    """Fetch the jars that are not here yet; `progress` is told whose, how many of how many."""
    for lock in (kafka.LOCK, synapse.LOCK):

        def told(here: int, of_all: int, name: str = lock) -> None:
            progress(name, here, of_all)

        jars.resolve(lock, told)


def build(stack: ExitStack, say: Say, *, seed: int, size: odoo.Size, keep: bool) -> Stage:
    """Start the services, make a database, write sync.yaml, run `odoo-cdc setup`.

    `stack` ends it all. Raises EmbeddedError, SetUpFailed.
    """
    folder = folders.data("demo")
    # The folder is the webshop's and our programs': a guardian removes it however the demo ends.
    webshop = stack.enter_context(Webshop.start(FAULTS, home=folder, keep=keep))
    postgres, broker = _services(stack, say)
    postgres.create_database(DATABASE)
    dsn = postgres.dsn(DATABASE)
    odoo.create(dsn, seed=seed, size=size)
    say(f"an Odoo-shaped database of {size.partners} partners, {size.products} products")
    office = branch.start(stack, postgres, seed, say)
    service = stack.enter_context(TargetService(folder / target.FILE, keep=keep))
    target.write(folder, office, service.listen)
    acks = f"{LOOPBACK}:{free_ports(1)[0]}"
    places = {
        "dsn": dsn,
        "kafka": broker.bootstrap,
        "wso2": f"http://{LOOPBACK}/",
        "acks": acks,
        "webshop": webshop.url,
        "branch": service.url,
    }
    patience = PATIENCE_WITH_ODOO if branch.is_real(office) else PATIENCE
    config = folder / "sync.yaml"
    flow = _flow(configuration.write(config, places, patience), folder / "wso2")
    engine = stack.enter_context(Synapse.start(flow))
    say("Apache Synapse, the engine of WSO2's integrator, with our flow")
    configuration.write(config, places | {"wso2": engine.url}, patience)
    say(f"odoo-cdc setup: {len(set_up(config).splitlines())} things made")
    capture = stack.enter_context(Capture(config, dsn, keep=keep))
    stream = stack.enter_context(StreamWorker(config, keep=keep))
    return Stage(
        folder,
        config,
        dsn,
        postgres,
        broker,
        engine,
        webshop,
        capture,
        stream,
        service,
        office,
        questions.highest(office.dsn),
    )


def _services(stack: ExitStack, say: Say) -> tuple[Postgres, Kafka]:
    """Start Postgres and Kafka side by side."""
    with ThreadPoolExecutor(2) as threads:
        starting = threads.submit(Kafka.start)
        try:
            postgres = stack.enter_context(Postgres.start(settings=SETTINGS))
            say(f"Postgres {postgres.installation.version}")
        finally:
            broker = stack.enter_context(starting.result())
    say("Apache Kafka 4.4")
    return postgres, broker


def _flow(config: Path, folder: Path) -> Path:
    """Write the artifacts that WSO2 runs."""
    for path, artifact in generate(load(config)).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(artifact.text, encoding="utf-8")
    return folder


def launch(stage: Stage) -> None:
    """Start our programs side by side."""
    programs = (stage.capture, stage.stream, stage.target)
    with ThreadPoolExecutor(len(programs)) as threads:
        for started in [threads.submit(program.launch) for program in programs]:
            started.result()
