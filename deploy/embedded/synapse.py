"""Apache Synapse 3.0.1, the engine that WSO2's integrator grew from, on loopback.

It runs the same artifact files, byte for byte. JSON is opaque text in it and reaches targets as
`text/plain`: the jar that would say otherwise would need a compiler.
"""

from __future__ import annotations

import contextlib
import http.client
import secrets
import shutil
from pathlib import Path
from typing import ClassVar, Self

from embedded import jars, java
from embedded.errors import EmbeddedError, NotStarted
from embedded.ports import LOOPBACK, free_ports
from embedded.process import PORT_TAKEN, Service

LOCK = "synapse-3.0.1"
ENGINE = Path(__file__).with_name("engine")
KINDS = ("api", "sequences", "endpoints")
PROFILES = "conf/CdcTlsProfiles.xml"
LEFT_OUT = "Continue in fail-safe mode"
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
        self._token = ""

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

        `artifacts` holds `api`, `sequences` and `endpoints` with an XML file for each artifact,
        and may hold TLS profiles of targets in `conf`.
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
            f"-Djava.io.tmpdir={self.home}",  # what it leaves behind goes with the rest
            "-cp",
            classpath,
            "org.apache.synapse.SynapseServer",
        ]
        home = str(self.home)
        return [*engine, home, str(axis2), home, str(flows), home, "engine"]

    def answers(self) -> bool:
        """Whether it is our engine that listens, with all its flows; it goes on without either."""
        said = self.said()
        if PORT_TAKEN in said.lower():
            raise NotStarted(f"{self.name} has no port:\n{self.tail()}")
        if LEFT_OUT in said:
            causes = [line for line in said.splitlines() if not line.startswith("\tat ")]
            raise NotStarted(
                "\n".join([f"{self.name} leaves out what it cannot read:", *causes]),
                hint="The log above names the file and the reason.",
            )
        return STARTED in said and self._token in self._ask()

    def _ask(self) -> str:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("GET", "/embedded/ready")
            return connection.getresponse().read().decode(errors="replace")
        return ""

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
        self._token = secrets.token_hex(8)
        _fill(configuration / "axis2.xml", "@PORT@", str(self.port))
        profiles = self.artifacts / PROFILES
        if profiles.is_file():
            text = profiles.read_text(encoding="utf-8")
            _fill(configuration / "axis2.xml", "<!-- @TLS_PROFILES@ -->", text)
        _fill(configuration / "synapse-config/api/EmbeddedReady.xml", "@TOKEN@", self._token)
        for expected in ("modules", "services"):
            (self.home / expected).mkdir(exist_ok=True)
        return configuration


def _fill(file: Path, place: str, value: str) -> None:
    text = file.read_text(encoding="utf-8").replace(place, value)
    file.write_text(text, encoding="utf-8")
