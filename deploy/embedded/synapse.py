"""Apache Synapse 3.0.1, the engine that WSO2's integrator grew from, on loopback.

It runs the same artifact files, byte for byte. JSON is opaque text in it and reaches targets as
`text/plain`: the jar that would say otherwise would need a compiler.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar, Self

from embedded import jars, java
from embedded.errors import EmbeddedError, NotStarted
from embedded.ports import LOOPBACK, accepts, free_ports
from embedded.process import PORT_TAKEN, Service

LOCK = "synapse-3.0.1"
ENGINE = Path(__file__).with_name("engine")
KINDS = ("api", "sequences", "endpoints")
STARTED = "Apache Synapse started successfully"

JVM = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
)


class Synapse(Service):
    """An engine with the flows of one folder, read again at every start."""

    name: ClassVar[str] = "synapse"

    def __init__(
        self,
        artifacts: Path,
        home: Path | None = None,
        *,
        keep: bool | None = None,
        progress: jars.Progress | None = None,
    ) -> None:
        """Prepare an engine in its folder."""
        self._jars = jars.resolve(LOCK, progress)
        super().__init__(home, keep=keep)
        self.artifacts = artifacts.absolute()
        self.port = 0

    @classmethod
    def start(
        cls,
        artifacts: Path,
        *,
        home: Path | None = None,
        keep: bool | None = None,
        progress: jars.Progress | None = None,
    ) -> Self:
        """Start an engine; it listens when this returns.

        `artifacts` holds `api`, `sequences` and `endpoints` with an XML file for each artifact.
        `home` is the engine's folder, a temporary one by default; `keep` says whether `close`
        leaves it, by default as long as it is the caller's. `progress` is told of the jars.
        """
        return cls(artifacts, home, keep=keep, progress=progress).first_launch()

    @property
    def url(self) -> str:
        """Where deliveries are sent, for `wso2.url` of sync.yaml."""
        return f"http://{LOOPBACK}:{self.port}/cdc/v1/messages"

    def choose_ports(self) -> None:
        """Take one port."""
        (self.port,) = free_ports(1)

    def command(self) -> list[str]:
        """Lay out the engine's folder anew and return what to run; all paths are absolute."""
        configuration = self._lay_out()
        axis2, flows = configuration / "axis2.xml", configuration / "synapse-config"
        classpath = ":".join(map(str, [configuration, *self._jars]))
        engine = [
            str(java.find().path),
            *JVM,
            "-cp",
            classpath,
            "org.apache.synapse.SynapseServer",
        ]
        home = str(self.home)
        return [*engine, home, str(axis2), home, str(flows), home, "engine"]

    def answers(self) -> bool:
        """Whether our engine listens; one that could not bind its port lives on without."""
        said = self.said()
        if PORT_TAKEN in said.lower():
            raise NotStarted(f"{self.name} has no port:\n{self.tail()}")
        return STARTED in said and accepts(self.port)

    def _lay_out(self) -> Path:
        if not (self.artifacts / "api").is_dir():
            raise EmbeddedError(
                f"{self.artifacts} holds no folder `api` with flows",
                hint="Make the artifacts first: `odoo-cdc wso2 generate`.",
            )
        configuration = self.home / "conf"
        shutil.rmtree(configuration, ignore_errors=True)
        shutil.copytree(ENGINE, configuration)
        for kind in KINDS:
            if (self.artifacts / kind).is_dir():
                target = configuration / "synapse-config" / kind
                shutil.copytree(self.artifacts / kind, target, dirs_exist_ok=True)
        axis2 = configuration / "axis2.xml"
        text = axis2.read_text(encoding="utf-8").replace("@PORT@", str(self.port))
        axis2.write_text(text, encoding="utf-8")
        for expected in ("modules", "services"):
            (self.home / expected).mkdir(exist_ok=True)
        return configuration
