"""Our flow on the real engine, between a scripted target and the real intake."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.stand_ins import HOST, Background, StandIn
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.synapse import Synapse
    from schemas.config import Config
    from streams.http.intake import Intake, Response
    from tests.fix_certificates import Authority

TOKEN = 'a&b<c>"d'
PASSWORD = "p&<>\"'$1{x}"


def sync_yaml(
    *,
    url: str = f"http://{HOST}:8290/cdc/v1/messages",
    targets: Mapping[str, str | dict[str, Any]] | None = None,
    timeout: str = "30s",
    token: str = "",
    acks: str = f"http://{HOST}:8091/acks",
    wso2: Mapping[str, Any] | None = None,
) -> str:
    """Return a file with what concerns WSO2; JSON is YAML. Of a target its URL or all is given."""
    given = targets or {"webshop": "http://shop.example/deliveries"}
    settings = {
        name: {"timeout": timeout, **({"url": of} if isinstance(of, str) else of)}
        for name, of in given.items()
    }
    return json.dumps(
        {
            "source": {"name": "odoo_a", "dsn": "postgresql:///odoo_a"},
            "kafka": {"bootstrap.servers": f"{HOST}:9092"},
            "wso2": {"url": url, **(wso2 or {})},
            "acks": {"listen": f"{HOST}:8091", "url": acks, "token": token},
            "targets": settings,
            "routes": [
                {
                    "name": "products",
                    "model": "product.template",
                    "targets": [next(iter(settings))],
                    "fields": ["name"],
                }
            ],
        },
        indent=1,
    )


@pytest.fixture
def wso2_config(tmp_path: Path) -> Callable[..., Config]:
    """Load a configuration with what concerns WSO2 as given: see `sync_yaml`."""

    from schemas.config import load  # noqa: PLC0415 - see fix_services

    def make(**settings: Any) -> Config:
        file = tmp_path / "sync.yaml"
        file.write_text(sync_yaml(**settings))
        return load(file)

    return make


@dataclass
class Words:
    """The responses topic as the intake writes it."""

    said: list[dict[str, Any]] = field(default_factory=list)
    arrival: threading.Condition = field(default_factory=threading.Condition)
    together: asyncio.Barrier | None = None  # where set, so many are taken at a time

    async def __call__(self, responses: Sequence[Response]) -> None:
        if self.together is not None:
            await self.together.wait()
        with self.arrival:
            self.said += [{"key": r.chain, **json.loads(r.value)} for r in responses]
            self.arrival.notify_all()

    def of(self, delivery_id: str, number: int = 1) -> list[dict[str, Any]]:
        """Wait for so many acknowledgements of a delivery."""

        def found() -> list[dict[str, Any]]:
            return [word for word in self.said if word["id"] == delivery_id]

        with self.arrival:
            came = self.arrival.wait_for(lambda: len(found()) >= number, LONG)
            assert came, f"{found()} of {number} in {LONG} s"
            return found()


@dataclass
class Flow:
    """The engine with our artifacts, the target behind it, and what the intake was told."""

    engine: Synapse
    config: Config
    target: StandIn
    guarded: StandIn
    other: StandIn
    words: Words
    restart_intake: Callable[[], None]

    @property
    def url(self) -> str:
        """For `wso2.url`."""
        return self.engine.url


class _Worker:
    """The intake that a worker opens."""

    def __init__(self, background: Background, config: Config, words: Words) -> None:
        self._background, self._config, self._words = background, config, words
        self._intake = background.run(self._opened())

    def restart(self) -> None:
        self.close()
        self._intake = self._background.run(self._opened())

    def close(self) -> None:
        self._background.run(self._intake.__aexit__(None, None, None))

    async def _opened(self) -> Intake:
        from streams.http.intake import Intake  # noqa: PLC0415 - see fix_services

        return await Intake(self._config.acks, self._words).__aenter__()


@pytest.fixture(scope="session")
def _flow(
    tmp_path_factory: pytest.TempPathFactory,
    synapse: Callable[[Path], Synapse],
    authority: Authority,
) -> Iterator[Flow]:
    from embedded.ports import free_ports  # noqa: PLC0415 - see fix_services
    from schemas.config import load  # noqa: PLC0415
    from streams.commands.wso2 import write  # noqa: PLC0415
    from streams.flow.artifacts import generate  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("wso2")
    (nobody,) = free_ports(1)
    target, words, background = StandIn(), Words(), Background()
    (port,) = free_ports(1)
    at = f"http://{HOST}:{target.port}"
    guarded, other = StandIn(), StandIn()
    for each in (guarded, other):
        each.serve_tls(authority.server(authority.issue("target"), clients=True))
    keys, trusted = authority.stores(authority.issue("wso2-as-client"), PASSWORD)
    trust = {"truststore": str(trusted), "truststore_password": PASSWORD}
    own = {"keystore": str(keys), "keystore_password": PASSWORD}
    targets = {
        "webshop": f"{at}/deliveries?shop=1&lang=en",
        "gone": f"http://{HOST}:{nobody}/in",
        "odoo-b_2": f"{at}/odoo",
        "basic": {"url": f"{at}/basic", "auth": {"basic": {"user": "öd", "password": PASSWORD}}},
        "bearer": {"url": f"{at}/bearer", "auth": {"bearer": PASSWORD}},
        "mutual": {"url": f"https://localhost:{guarded.port}/in", "tls": trust | own},
        "anonymous": {"url": f"https://localhost:{other.port}/in", "tls": trust},
    }
    text = sync_yaml(
        targets=targets, timeout="2s", token=TOKEN, acks=f"http://{HOST}:{port}/acks"
    ).replace(f"{HOST}:8091", f"{HOST}:{port}")
    (folder / "sync.yaml").write_text(text)
    config = load(folder / "sync.yaml")

    worker = _Worker(background, config, words)
    write(generate(config), folder / "artifacts")
    engine = synapse(folder / "artifacts")
    yield Flow(engine, config, target, guarded, other, words, worker.restart)
    worker.close()
    background.close()
    target.close()
    guarded.close()
    other.close()


@pytest.fixture
def synapse_flow(_flow: Flow) -> Iterator[Flow]:
    """Our flow on Apache Synapse.

    Targets: webshop, odoo-b_2, basic and bearer (all scripted, one server), gone (refuses);
    mutual and anonymous (servers that ask for a certificate: `guarded` is shown one, `other` not).
    """
    _flow.target.forget()
    _flow.guarded.forget()
    _flow.other.forget()
    yield _flow
    _flow.target.release()
    _flow.target.forget()
    _flow.engine.launch()
