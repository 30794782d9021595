"""Apache Kafka 4.4: one node that is broker and controller, on loopback."""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from embedded import folders, jars, java
from embedded.errors import NotStarted
from embedded.ports import LOOPBACK, accepts, free_ports
from embedded.process import Service

LOCK = "kafka-4.4.0"
META = "meta.properties"

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.retention.check.interval.ms": "5000",
    "log.segment.delete.delay.ms": "1000",
    # A restart waits until the controller forgets the node's former life: 9 s by default.
    "controlled.shutdown.enable": "false",
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
}

JVM = (
    "-Xmx256m",
    "-Xms256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


@dataclass(frozen=True, slots=True)
class Listener:
    """One more address that a broker listens at, with TLS for instance.

    `protocol` is Kafka's: SSL, SASL_SSL, SASL_PLAINTEXT. `settings` are lines of
    server.properties for this listener alone, without their prefix.
    """

    name: str
    protocol: str
    settings: Mapping[str, str]


class Kafka(Service):
    """A broker; topics are made by whoever needs them.

    Its own address asks for nothing; what else it listens at are `listeners`.
    """

    name: ClassVar[str] = "kafka"

    def __init__(
        self,
        home: Path | None = None,
        *,
        keep: bool | None = None,
        settings: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        progress: jars.Progress | None = None,
    ) -> None:
        """Prepare a broker in its folder; `settings` win over ours."""
        self._classpath = ":".join(map(str, jars.resolve(LOCK, progress)))
        super().__init__(home, keep=keep)
        self.settings = dict(settings or {})
        self.listeners = tuple(listeners)
        self.data = self.home / "data"
        self.choose_ports()

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        *,
        keep: bool | None = None,
        settings: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        progress: jars.Progress | None = None,
    ) -> Self:
        """Start a broker; it answers when this returns.

        `data_dir` is a former broker's or an empty folder; without it, a temporary one. `keep`
        says whether `close` leaves it, by default as long as it is the caller's. `settings` are
        lines of server.properties; `progress` is told of the jars.
        """
        made = cls(data_dir, keep=keep, settings=settings, listeners=listeners, progress=progress)
        return made.first_launch()

    @property
    def bootstrap(self) -> str:
        """The address for `bootstrap.servers`."""
        return f"{LOOPBACK}:{self.port}"

    def choose_ports(self) -> None:
        """Take a port for clients, one for the controller, and one for each listener."""
        self.port, self._controller_port, *others = free_ports(2 + len(self.listeners))
        named = zip(self.listeners, others, strict=True)
        self._addresses = {each.name: f"{LOOPBACK}:{port}" for each, port in named}

    def address(self, listener: str) -> str:
        """Return the address of one of `listeners`, for `bootstrap.servers`."""
        return self._addresses[listener]

    def command(self) -> list[str]:
        """Format an empty folder, write server.properties, return the command that reads it."""
        if not self.data.exists():
            self._format()
        properties = self.home / "server.properties"
        properties.write_text(self._properties(), encoding="utf-8")
        return [*self._java(*JVM), "kafka.Kafka", str(properties)]

    def answers(self) -> bool:
        """Whether it is our broker that answers, and every partition has a leader."""
        if not accepts(self.port):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap}, logger=_silent())
        with contextlib.suppress(KafkaException):
            seen = client.list_topics(timeout=5)
            leaders = [p.leader for t in seen.topics.values() for p in t.partitions.values()]
            ours = bool(seen.brokers) and seen.cluster_id == self._cluster_id()
            return ours and all(leader in seen.brokers for leader in leaders)
        return False

    def _java(self, *options: str) -> list[str]:
        # Its libraries unpack parts of themselves, which goes with the rest.
        place = f"-Djava.io.tmpdir={self.home}"
        return [str(java.find().path), *options, place, "-cp", self._classpath]

    def _properties(self) -> str:
        addresses = {"PLAINTEXT": self.bootstrap, **self._addresses}
        told = ",".join(f"{name}://{address}" for name, address in addresses.items())
        controller = f"{LOOPBACK}:{self._controller_port}"
        settings = SETTINGS | {
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"{told},CONTROLLER://{controller}",
            "advertised.listeners": told,
            "log.dirs": str(self.data),
        }
        for each in self.listeners:
            settings["listener.security.protocol.map"] += f",{each.name}:{each.protocol}"
            prefix = f"listener.name.{each.name.lower()}"
            settings |= {f"{prefix}.{key}": value for key, value in each.settings.items()}
        return "".join(f"{k}={v}\n" for k, v in (settings | self.settings).items())

    def _cluster_id(self) -> str:
        lines = (self.data / META).read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]

    def _format(self) -> None:
        """Copy a formatted folder and give it a cluster id of its own: no second JVM per start."""
        template = folders.cached(f"{LOCK}-{folders.key(self._classpath)}", self._make_template)
        unfinished = self.home / "formatting"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(template, unfinished)
        meta = unfinished / META
        lines = meta.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("cluster.id=")]
        meta.write_text("\n".join([*kept, f"cluster.id={_cluster_id()}", ""]), encoding="utf-8")
        unfinished.rename(self.data)

    def _make_template(self, folder: Path) -> None:
        properties = self.home / "format.properties"
        properties.write_text(self._properties() + f"log.dirs={folder}\n", encoding="utf-8")
        tool = [*self._java(*JVM), "kafka.tools.StorageTool", "format"]
        said = subprocess.run(
            [*tool, "-t", _cluster_id(), "-c", str(properties)],
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            raise NotStarted(f"Kafka's folder cannot be formatted:\n{said.stdout}{said.stderr}")


def _cluster_id() -> str:
    """Return 22 characters of URL-safe base64, the first not a dash, which begins an option."""
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


@functools.cache
def _silent() -> logging.Logger:
    """Return a logger that drops what librdkafka says about a broker that is still starting."""
    logger = logging.getLogger("embedded.kafka.probe")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
