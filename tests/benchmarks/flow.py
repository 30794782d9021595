"""From commit to WSO2: latency when idle, and how much one worker takes when it is not."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from embedded.ports import free_ports
from schemas.topics import Topics
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.place import Place, Site
from tests.benchmarks.watching import LOOK, PATIENCE, came, number_came, running, wait
from tests.documents_as_of import MODELS, dispatched
from tests.kafka_reading import events
from tests.oracle import routes_yaml
from tests.programs import Program, Programs

COMMITS: Final = 200  # of which the latency is measured, per run
PAUSE: Final = 0.1  # seconds between two of them
_MATCHES_NOTHING: Final = """routes:
  - {name: a, model: product.template, domain: [[0, "=", 1]], targets: [shop], fields: [name]}
  - {name: b, model: res.partner, domain: [[0, "=", 1]], targets: [erp], fields: [name]}
  - {name: c, model: sale.order, domain: [[0, "=", 1]], targets: [shop], fields: [name]}
"""
_PRICE: Final = "UPDATE product_template SET list_price = %s WHERE id = %s"
_PRODUCT: Final = "SELECT min(id) FROM product_template WHERE sale_ok AND active"
_EVENTS: Final = re.compile(rb"^odoo_cdc_stream_events_total\S* (\S+)$", re.MULTILINE)


def latency(place: Place, runs: int) -> list[Figure]:
    """Return the time from a commit's return to the arrival at WSO2, nothing else going on."""
    medians, tails = [], []
    with place.sink() as (url, notes), place.site(wso2=url) as site:
        loaded = len(dispatched(place.kafka.bootstrap, site.programs.config))
        programs = (
            site.programs.start("capture"),
            site.programs.start("stream", "--worker", "one"),
        )
        wait(lambda: len(came(notes)) >= loaded, programs)
        for run in range(runs):
            place.say(f"latency: {COMMITS} commits, run {run + 1} of {runs}")
            seconds = _commit_and_wait(site, notes, (run + 1) * 10_000, programs)
            medians.append(percentile(seconds, 50) * 1e3)
            tails.append(percentile(seconds, 99) * 1e3)
    return [
        Figure("commit to WSO2, idle: p50", "ms", tuple(medians), "under 60"),
        Figure("commit to WSO2, idle: p99", "ms", tuple(tails), "under 200"),
    ]


def one_worker(place: Place, runs: int) -> list[Figure]:
    """Return what one worker takes of a backlog: no route matching, and every delivery sent."""
    with place.site() as site:
        place.say("playing the workload")
        place.play(site.dsn)
        site.programs.caught_up()
        number = len(events(place.kafka.bootstrap, site.name, MODELS))
        made = len(dispatched(place.kafka.bootstrap, site.programs.config))
        read, sent, spent = [], [], []
        for run in range(runs):
            place.say(f"one worker: {number:,} events, run {run + 1} of {runs}")
            read.append(_read_events(place, site, number, run))
            place.say(f"one worker: {made:,} deliveries, run {run + 1} of {runs}")
            rate, cpu = _send_deliveries(place, site, made, run)
            sent.append(rate)
            spent.append(cpu / made * 1e6)
    return [
        Figure("one worker: events per second, no route matches", "1/s", tuple(read)),
        Figure("one worker: deliveries per second", "1/s", tuple(sent)),
        Figure("one worker: CPU per delivery, its event included", "us", tuple(spent)),
    ]


def _commit_and_wait(
    site: Site, notes: Path, first: int, programs: Sequence[Program]
) -> list[float]:
    """Commit one after the other; return the seconds that each took to arrive."""
    committed: dict[str, float] = {}
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        (product,) = connection.execute(_PRODUCT).fetchone() or (0,)
        for price in range(first, first + COMMITS):
            connection.execute(_PRICE, [price, product])
            committed[str(price)] = time.time()
            time.sleep(PAUSE)  # the rate is what is asked for, nothing is waited for
    arrived: dict[str, float] = {}

    def complete() -> bool:
        for at, message in came(notes):
            arrived.setdefault(str(message["data"]["fields"].get("list_price")), at)
        return committed.keys() <= arrived.keys()

    wait(complete, programs)
    return [arrived[price] - at for price, at in committed.items()]


def _read_events(place: Place, site: Site, number: int, run: int) -> float:
    """Let a worker read all events for routes that match none; return its rate."""
    home = site.folder / f"reads_{run}"
    with _worker(place, site, home, routes=_MATCHES_NOTHING) as (worker, port):
        began, at_first = 0.0, 0
        while (count := _events(port)) < number:
            if count and not began:
                began, at_first = time.monotonic(), count
            running([worker])
            time.sleep(LOOK)
        return (number - at_first) / (time.monotonic() - began) if began else 0.0


def _send_deliveries(place: Place, site: Site, made: int, run: int) -> tuple[float, float]:
    """Let a worker send all deliveries; return its rate and its CPU in seconds.

    Each run has targets of its own: to the former ones everything was delivered already.
    """
    home, names = site.folder / f"sends_{run}", {"shop": f"shop{run}", "erp": f"erp{run}"}
    routes = routes_yaml()
    for name, other in names.items():
        routes = re.sub(rf"(targets: \[.*)\b{name}\b", rf"\g<1>{other}", routes)
    with (
        place.sink() as (url, notes),
        _worker(place, site, home, routes=routes, targets=tuple(names.values()), wso2=url) as (
            worker,
            _,
        ),
    ):
        wait(lambda: number_came(notes) >= made, [worker])
        worker.look()
        times = [at for at, _ in came(notes)]
        return (made - 1) / (times[-1] - times[0]), worker.spent.cpu


@contextmanager
def _worker(place: Place, site: Site, home: Path, **parts: Any) -> Iterator[tuple[Program, int]]:
    """Run a worker that begins at the first event, with a port for its metrics."""
    home.mkdir()
    (port,) = free_ports(1)
    more = {"health": {"listen": f"127.0.0.1:{port}"}}
    text = site.config(kafka=place.kafka.bootstrap, more=more, **parts)
    with Programs(home, text, cold=True) as programs:
        programs.run("setup")
        worker = programs.start("stream", "--worker", "one")
        yield worker, port
        assert worker.stop() == 0, worker.tail()
    _forget_group(place, site)


def _forget_group(place: Place, site: Site) -> None:
    """Let the next worker begin at the first event again."""
    admin = AdminClient({"bootstrap.servers": place.kafka.bootstrap, "log_level": 0})
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            for done in admin.delete_consumer_groups([Topics(site.name).group]).values():
                done.result()
        except KafkaException as error:
            # A member that is gone counts until its session has timed out.
            is_held = error.args[0].code() == KafkaError.NON_EMPTY_GROUP
            if not is_held or time.monotonic() > deadline:
                raise
            time.sleep(LOOK * 10)
        else:
            return


def _events(port: int) -> int:
    """Return how many events a worker has read, 0 while it does not answer."""
    with (
        suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer,
    ):
        return sum(int(float(found)) for found in _EVENTS.findall(answer.read()))
    return 0
