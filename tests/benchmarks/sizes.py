"""What large things cost: a first load, a module upgrade's storm, one transaction, a resend.

`--rows` says how many partners a million is; a transaction has three times as many.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final

import psycopg
from confluent_kafka import Consumer, TopicPartition

from schemas.topics import Topics
from tests import partners
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.place import Place, Site
from tests.benchmarks.recvlogical import Recvlogical
from tests.benchmarks.watching import number_came, wait
from tests.programs import Program, Spent

WATCHED: Final = "product.template"  # of which others change a record meanwhile
PRICE: Final = "UPDATE product_template SET list_price = %s WHERE id = %s"
PRODUCT: Final = "SELECT min(id) FROM product_template WHERE sale_ok AND active"
PAUSE: Final = 0.2  # seconds between two commits of others
LONG: Final = 7200.0
QUIET: Final = 5.0  # seconds without a delivery: nothing more is to come
PARTS: Final = 50  # a resend has so many times fewer documents: workers send each of them
TIMES: Final = 3  # a large transaction has so many times the rows


def load(place: Place, runs: int) -> list[Figure]:
    """Return what the first load of many partners takes, published to Kafka; one run."""
    del runs
    with place.site(prepare=lambda dsn: partners.add(dsn, place.rows)) as site:
        place.say(f"the first load of {place.rows:,} partners")
        began = time.monotonic()
        spent = site.programs.caught_up(timeout=LONG).spent
        seconds = time.monotonic() - began
    what = f"first load of {place.rows:,} partners"
    return [
        Figure(f"{what}: rows per second, published", "1/s", (place.rows / seconds,)),
        *_memory(what, spent),
    ]


def storm(place: Place, runs: int) -> list[Figure]:
    """Return how long a commit waits behind a rewrite of all rows, and behind pg_recvlogical."""
    ratios, waits, peaks, published = [], [], [], 0
    with place.site(prepare=lambda dsn: partners.add(dsn, place.rows)) as site:
        for run in range(runs):
            place.say(f"{place.rows:,} rows rewritten, run {run + 1} of {runs}")
            with following(place, site) as (capture, arrivals):
                partners.rewrite(site.dsn)
                mine = arrivals.of_one_commit(capture)
                published += arrivals.number_of(partners.MODEL)
            peaks.append(capture.spent.peak / 1e6)
            place.say(f"the same before pg_recvlogical, run {run + 1} of {runs}")
            with Recvlogical(place, site) as other:
                partners.rewrite(site.dsn)
                theirs = other.seconds_to_one_commit(lambda: _one_commit(site, time.time()))
            waits.append(mine)
            ratios.append(mine / theirs)
    what = f"{place.rows:,} rows rewritten, no selected field changed"
    return [
        Figure(f"{what}: events", "", (float(published),), "0"),
        Figure(f"{what}: wait of a later commit", "s", tuple(waits)),
        Figure(f"{what}: of pg_recvlogical's", "ratio", tuple(ratios), "1.3 or less"),
        Figure(f"{what}: capture's peak memory (VmHWM)", "MB", tuple(peaks), "flat under 200"),
    ]


def transaction(place: Place, runs: int) -> list[Figure]:
    """Return what one transaction of very many rows needs, and what others wait; one run."""
    del runs
    rows = TIMES * place.rows
    with place.site() as site, following(place, site) as (capture, arrivals):
        place.say(f"one transaction of {rows:,} rows, others beside it")
        with arrivals.commits(PAUSE) as meanwhile:
            partners.add(site.dsn, rows)
            committed = time.time()
            arrivals.of_one_commit(capture)
        waited = arrivals.waited(meanwhile)
        during = [seconds for at, seconds in waited if at + seconds < committed]
        events = arrivals.number_of(partners.MODEL)
    what = f"one transaction of {rows:,} rows"
    return [
        *_memory(what, capture.spent),
        Figure(f"{what}: events", "", (float(events),), f"{rows:,}"),
        Figure(f"{what}: CPU per row", "us", (capture.spent.cpu / rows * 1e6,)),
        Figure(f"{what}: others until its commit, p50", "ms", (percentile(during, 50) * 1e3,)),
        Figure(f"{what}: others until its commit, p99", "ms", (percentile(during, 99) * 1e3,)),
        Figure(f"{what}: the longest wait behind it", "s", (max(s for _, s in waited),)),
    ]


def resend(place: Place, runs: int) -> list[Figure]:
    """Return what `resend --all` of many partners takes, till WSO2 has them; one run."""
    del runs
    number = place.rows // PARTS
    with (
        place.sink() as (url, notes),
        place.site(lambda dsn: partners.add(dsn, number), wso2=url) as site,
    ):
        site.programs.caught_up(timeout=LONG)
        programs = (
            site.programs.start("capture"),
            site.programs.start("stream", "--worker", "one"),
        )
        place.say(f"{number:,} partners are sent for the first time")
        _until_quiet(notes, number, programs)
        before = number_came(notes)
        place.say("resend --all")
        began = time.monotonic()
        site.programs.run("resend", partners.MODEL, "--all", timeout=LONG)
        wait(lambda: number_came(notes) >= before + number, programs)
        seconds = time.monotonic() - began
        programs[0].look()
        spent = programs[0].spent
    what = f"resend --all of {number:,} partners"
    return [
        Figure(f"{what}: deliveries per second, one worker", "1/s", (number / seconds,)),
        *_memory(what, spent),
    ]


def _memory(what: str, spent: Spent) -> list[Figure]:
    return [
        Figure(
            f"{what}: capture's peak memory (VmHWM)", "MB", (spent.peak / 1e6,), "flat under 200"
        ),
        Figure(f"{what}: of that, without mapped files", "MB", (spent.own / 1e6,)),
    ]


def _until_quiet(notes: Path, number: int, programs: Sequence[Program]) -> None:
    """Wait until so many have come and, for a while, none more."""
    last: list[tuple[int, float]] = [(-1, 0.0)]

    def quiet() -> bool:
        count, now = number_came(notes), time.monotonic()
        if count != last[0][0]:
            last[0] = count, now
        return count >= number and now - last[0][1] > QUIET

    wait(quiet, programs)


def _one_commit(site: Site, price: float) -> None:
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        (product,) = connection.execute(PRODUCT).fetchone() or (0,)
        connection.execute(PRICE, [round(price, 2), product])


class Arrivals:
    """When events of one model came to Kafka, in the order of the commits that made them."""

    def __init__(self, place: Place, site: Site) -> None:
        self._site = site
        # One for all questions: to ask must not slow down what is measured.
        self._consumer = Consumer(
            {"bootstrap.servers": place.kafka.bootstrap, "group.id": "benchmark"}
        )
        self._before = {model: self._ends(model) for model in (WATCHED, partners.MODEL)}
        self._committed: list[float] = []

    def _ends(self, model: str) -> int:
        """Return how many events of a model there are."""
        asked = (self._consumer.get_watermark_offsets(p, 30) for p in self._parts(model))
        return sum(high for _, high in asked)

    def _parts(self, model: str) -> list[TopicPartition]:
        topic = Topics(self._site.name).events(model)
        parts = self._consumer.list_topics(topic, 30).topics[topic].partitions
        return [TopicPartition(topic, part, 0) for part in parts]

    def number_of(self, model: str) -> int:
        """Return how many events of a model came since the beginning."""
        return self._ends(model) - self._before[model]

    def commit(self) -> float:
        """Change a record of its own event; return when that was committed."""
        _one_commit(self._site, time.time() * 100 % 1e7)
        self._committed.append(time.time())
        return self._committed[-1]

    def of_one_commit(self, program: Program) -> float:
        """Commit, wait for the event, return the seconds in between."""
        at = self.commit()
        number = len(self._committed)
        wait(lambda: self.number_of(WATCHED) >= number, [program], often=0.1, patience=LONG)
        seconds = time.time() - at
        program.look()
        return seconds

    @contextmanager
    def commits(self, pause: float) -> Iterator[list[float]]:
        """Commit every `pause` seconds, on a thread; what is given is when, in the end."""
        over = Flag()
        first = len(self._committed)
        made: list[float] = []

        def work() -> None:
            while not over.wait(pause):
                self.commit()

        thread = Thread(target=work)
        thread.start()
        try:
            yield made
        finally:
            over.set()
            thread.join()
            made += self._committed[first:]

    def waited(self, committed: Sequence[float]) -> list[tuple[float, float]]:
        """Return (when, seconds until its event was written) of each commit."""
        consumer, wanted = self._consumer, self._before[WATCHED]
        consumer.assign(self._parts(WATCHED))
        written: list[float] = []
        while len(written) < wanted + len(self._committed):
            for message in consumer.consume(1_000, 1.0):
                assert message.error() is None, message.error()
                written.append(message.timestamp()[1] / 1e3)
        written.sort()
        pairs = zip(sorted(committed), written[wanted:], strict=False)
        return [(at, max(0.0, then - at)) for at, then in pairs]


@contextmanager
def following(place: Place, site: Site) -> Iterator[tuple[Program, Arrivals]]:
    """Have capture follow the stream, with nothing behind it that is to be read."""
    site.programs.caught_up(timeout=LONG)
    capture = site.programs.start("capture")
    capture.until_said("following the stream")
    yield capture, Arrivals(place, site)
    capture.look()
    assert capture.stop() == 0, capture.tail()
