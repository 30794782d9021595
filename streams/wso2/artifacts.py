"""The WSO2 artifacts of an installation: a static part, and one generated from `targets`. Pure.

The static part is what `deploy/wso2` holds; a wheel carries it beside this module. Generated are
an endpoint for each target and one for the intake of acknowledgements, the pattern of known
targets, and the header that lets acknowledgements in. The same file gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from schemas.config import Config, Target
from schemas.errors import BadUsage
from schemas.topics import Topics

KINDS: Final = ("api", "sequences", "endpoints", "local-entries")
ACK_INTAKE: Final = "endpoints/CdcAckIntake.xml"
AUTHORIZATION: Final = "sequences/CdcAckAuthorization.xml"
ACK: Final = "sequences/CdcAck.xml"
ACK_DONE: Final = "sequences/CdcAckDone.xml"
KAFKA: Final = "local-entries/CdcKafka.xml"
KNOWN_TARGETS: Final = "sequences/CdcKnownTargets.xml"

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_URL: Final = re.compile(r"https?://[^\s{}]+")
_TOKEN: Final = re.compile(r"[!-~]+")  # visible ASCII: what a header may carry after "Bearer "
_TARGET: Final = re.compile(r"endpoints/CdcTarget_[a-z][a-z0-9_-]{0,39}\.xml")
_OF_WORDS: Final = frozenset({ACK_DONE, ACK_INTAKE, AUTHORIZATION, KAFKA})
_INTAKE_TIMEOUT: Final = 30.0  # seconds; more than the intake lets Kafka take

_ENDPOINT: Final = """\
<endpoint xmlns="http://ws.apache.org/ns/synapse" name="{name}">
    <address uri="{url}" format="rest">
        <timeout>
            <duration>{milliseconds}</duration>
            <responseAction>fault</responseAction>
        </timeout>
        <!-- Codes that cannot occur, so that nothing is ever suspended:
             the stream worker alone decides when to try again. -->
        <suspendOnFailure>
            <errorCodes>1</errorCodes>
            <initialDuration>0</initialDuration>
            <progressionFactor>1</progressionFactor>
            <maximumDuration>0</maximumDuration>
        </suspendOnFailure>
        <markForSuspension>
            <errorCodes>1</errorCodes>
            <retriesBeforeSuspension>0</retriesBeforeSuspension>
        </markForSuspension>
    </address>
</endpoint>
"""

_KNOWN: Final = """\
<!-- Generated from the targets of sync.yaml. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="CdcKnownTargets">
    <filter source="$ctx:cdc_to" regex="{names}">
        <then>
            <property name="cdc_known" value="yes"/>
        </then>
        <else>
            <property name="cdc_known" value="no"/>
        </else>
    </filter>
</sequence>
"""

_AUTHORIZED: Final = """\
<!-- Generated from acks.token of sync.yaml: this file holds a secret. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="CdcAckAuthorization">
    <property name="Authorization" value="Bearer {token}" scope="transport"/>
</sequence>
"""

_OPEN: Final = """\
<!-- Generated from sync.yaml, which has no acks.token: nothing to add. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="CdcAckAuthorization"/>
"""


# Runs in WSO2 with its Kafka connector. Without a partition Kafka's own partitioner places the
# record by its key, the chain.
_ACK_TO_KAFKA: Final = """\
<!-- Generated: says to Kafka what the other way says to the intake. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="CdcAck" onError="CdcAckFault">
    <payloadFactory media-type="json">
        <format>{json}</format>
        <args>{arguments}</args>
    </payloadFactory>
    <kafkaTransport.publishMessages configKey="CdcKafka">
        <topic>{topic}</topic>
        <key>{{$ctx:cdc_chain}}</key>
    </kafkaTransport.publishMessages>
    <drop/>
</sequence>
"""
_SAID: Final = re.compile(r"<text [^>]*>(.*?)</text>.*?<args>(.*?)</args>", re.DOTALL)

_KAFKA: Final = """\
<!-- Generated from kafka of sync.yaml: where acknowledgements are written. -->
<localEntry xmlns="http://ws.apache.org/ns/synapse" key="CdcKafka">
    <kafkaTransport.init>
        <name>CdcKafka</name>
        <connectionType>kafka</connectionType>
        <bootstrapServers>{servers}</bootstrapServers>
        <keySerializerClass>org.apache.kafka.common.serialization.StringSerializer</keySerializerClass>
        <valueSerializerClass>org.apache.kafka.common.serialization.StringSerializer</valueSerializerClass>
        <acks>all</acks>
        <poolingEnabled>false</poolingEnabled>
    </kafkaTransport.init>
</localEntry>
"""


class NotGenerated(BadUsage):
    """The file says too little, or too much, for WSO2 artifacts."""

    hint = "Correct what the message names; docs/configuration.md shows every key."


def generate(config: Config, *, to_kafka: bool = False) -> dict[str, str]:
    """Return every artifact: relative path -> XML text, sorted by path.

    Acknowledgements go to the intake, or `to_kafka`: then WSO2 writes them to the response queue.
    Raises NotGenerated for a name, URL or token that WSO2 cannot be given.
    """
    artifacts = dict(static())
    artifacts[KNOWN_TARGETS] = _KNOWN.format(names="|".join(_names(config)))
    if to_kafka:
        topic = Topics(config.source.name).responses
        artifacts[ACK] = _ack_to_kafka(artifacts[ACK], topic)
        artifacts[KAFKA] = _KAFKA.format(servers=escape(config.kafka["bootstrap.servers"]))
        del artifacts[ACK_DONE]  # of the intake's answer
    else:
        url = _url("acks.url", config.acks.url)
        artifacts[ACK_INTAKE] = _endpoint("CdcAckIntake", url, _INTAKE_TIMEOUT)
        artifacts[AUTHORIZATION] = _authorization(config.acks.token)
    for name in _names(config):
        artifacts[f"endpoints/CdcTarget_{name}.xml"] = _target(name, config.targets[name])
    return dict(sorted(artifacts.items()))


def _ack_to_kafka(by_http: str, topic: str) -> str:
    said = _SAID.search(by_http)
    if said is None:
        raise ValueError(f"{ACK} does not say what it sends")
    return _ACK_TO_KAFKA.format(json=said[1], arguments=said[2], topic=topic)


def static() -> Iterator[tuple[str, str]]:
    """Give the artifacts that are the same for everybody: (relative path, XML text)."""
    folder = _folder()
    for kind in KINDS:
        inside = folder / kind
        if inside.is_dir():
            for file in inside.iterdir():
                if file.name.endswith(".xml"):
                    yield f"{kind}/{file.name}", file.read_text(encoding="utf-8")


def is_secret(path: str) -> bool:
    """Whether an artifact may hold a secret: only its owner should read it."""
    return path == AUTHORIZATION


def is_stale(path: str, artifacts: dict[str, str]) -> bool:
    """Whether a file was generated for what is there no more: a target, the other way of words."""
    mine = path in _OF_WORDS or _TARGET.fullmatch(path) is not None
    return mine and path not in artifacts


def _folder() -> Traversable:
    # A wheel carries deploy/wso2 inside this package; in a checkout it stands where users look.
    installed = files("streams.wso2") / "static"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "deploy" / "wso2"


def _names(config: Config) -> list[str]:
    for name in config.targets:
        if not _NAME.fullmatch(name):
            raise NotGenerated(
                f"the target {name!r} cannot be named in WSO2",
                hint="A target's name is [a-z][a-z0-9_-]{0,39}.",
            )
    if not config.targets:
        raise NotGenerated(
            "the file has no targets: there is nothing to route to",
            hint="Add one: `targets: {webshop: {url: http://shop.example/deliveries}}`.",
        )
    return sorted(config.targets)


def _target(name: str, target: Target) -> str:
    return _endpoint(f"CdcTarget_{name}", _url(f"targets.{name}.url", target.url), target.timeout)


def _endpoint(name: str, url: str, timeout: float) -> str:
    milliseconds = max(1, round(timeout * 1000))
    return _ENDPOINT.format(name=name, url=_attribute(url), milliseconds=milliseconds)


def _url(where: str, url: str) -> str:
    if not _URL.fullmatch(url):
        raise NotGenerated(
            f"{where}: {url!r} is no URL that WSO2 can be given",
            hint="Give it as http://host:port/path or https://...; {} and blanks as %7B %7D %20.",
        )
    return url


def _authorization(token: str) -> str:
    if not token:
        return _OPEN
    if not _TOKEN.fullmatch(token):
        raise NotGenerated(
            "acks.token holds characters that a header cannot carry",
            hint="Use letters, digits and punctuation of ASCII, without blanks.",
        )
    return _AUTHORIZED.format(token=_attribute(token))


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
