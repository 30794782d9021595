"""The WSO2 artifacts of an installation: a static part, and one generated from `targets`. Pure.

The static part is what `deploy/wso2` holds; a wheel carries it beside this module. Generated are
an endpoint for each target and one for the intake of acknowledgements, the pattern of known
targets, the headers that let deliveries and acknowledgements in, and where targets have TLS of
their own its profiles. The same file gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from schemas.config import Config
from schemas.topics import Topics
from streams.flow import authorization, endpoints, profiles
from streams.flow.artifact import Artifact, NotGenerated

KINDS: Final = ("api", "sequences", "endpoints", "local-entries")
FOLDERS: Final = (*KINDS, "conf")
"""Those of artifacts, and that of what belongs to the server's own configuration."""
INTAKE: Final = "api/CdcIntake.xml"
ACK_INTAKE: Final = "endpoints/CdcAckIntake.xml"
ACK_AUTHORIZATION: Final = "sequences/CdcAckAuthorization.xml"
TARGET_AUTHORIZATION: Final = "sequences/CdcTargetAuthorization.xml"
ACK: Final = "sequences/CdcAck.xml"
ACK_DONE: Final = "sequences/CdcAckDone.xml"
KAFKA: Final = "local-entries/CdcKafka.xml"
KNOWN_TARGETS: Final = "sequences/CdcKnownTargets.xml"

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TARGET: Final = re.compile(r"endpoints/CdcTarget_[a-z][a-z0-9_-]{0,39}\.xml")
_NOT_ALWAYS: Final = frozenset({ACK_DONE, ACK_INTAKE, ACK_AUTHORIZATION, KAFKA, profiles.PATH})

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

# Runs in WSO2 with its Kafka connector. Without a partition Kafka's own partitioner places the
# record by its key, the chain.
_ACK_TO_KAFKA: Final = """\
<!-- Generated: says to Kafka what the other way says to the intake. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="CdcAck" onError="CdcAckFault">
    <sequence key="CdcWord"/>
    <payloadFactory media-type="json">
        <format>{{}}</format>
        <args/>
    </payloadFactory>
    <enrich>
        <source type="property" property="cdc_word"/>
        <target type="body"/>
    </enrich>
    <kafkaTransport.publishMessages configKey="CdcKafka">
        <topic>{topic}</topic>
        <key>{{$ctx:cdc_chain}}</key>
    </kafkaTransport.publishMessages>
    <drop/>
</sequence>
"""

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


# The integrator's own, which knows its users; Apache Synapse has none.
_GUARD: Final = """\
    <handlers>
        <handler class="org.wso2.micro.integrator.security.handler.RESTBasicAuthHandler"/>
    </handlers>
</api>
"""


def generate(
    config: Config, *, to_kafka: bool = False, vault: bool = False, guard: bool = False
) -> dict[str, Artifact]:
    """Return every artifact: relative path -> its text, sorted by path.

    Acknowledgements go to the intake, or `to_kafka`: then WSO2 writes them to the response queue.
    With `vault` artifacts hold no secret, but its name in WSO2's Secure Vault. With `guard` only
    users of WSO2 may call the flow.
    Raises NotGenerated for a name, URL or secret that WSO2 cannot be given.
    """
    artifacts = {path: Artifact(text) for path, text in static()}
    if guard:
        artifacts[INTAKE] = Artifact(artifacts[INTAKE].text.replace("</api>\n", _GUARD))
    artifacts[KNOWN_TARGETS] = Artifact(_KNOWN.format(names="|".join(_names(config))))
    artifacts[TARGET_AUTHORIZATION] = authorization.to_targets(config, vault=vault)
    if to_kafka:
        topic = Topics(config.source.name).responses
        artifacts[ACK] = Artifact(_ACK_TO_KAFKA.format(topic=topic))
        servers = escape(config.kafka["bootstrap.servers"])
        artifacts[KAFKA] = Artifact(_KAFKA.format(servers=servers))
        del artifacts[ACK_DONE]  # of the intake's answer
    else:
        artifacts[ACK_INTAKE] = endpoints.of_intake(config)
        artifacts[ACK_AUTHORIZATION] = authorization.to_intake(config, vault=vault)
    for name in _names(config):
        target = config.targets[name]
        artifacts[f"endpoints/CdcTarget_{name}.xml"] = endpoints.of_target(
            name, target, vault=vault
        )
    profiles_of_targets = profiles.generate(config, vault=vault)
    if profiles_of_targets is not None:
        artifacts[profiles.PATH] = profiles_of_targets
    return dict(sorted(artifacts.items()))


def static() -> Iterator[tuple[str, str]]:
    """Give the artifacts that are the same for everybody: (relative path, XML text)."""
    folder = _folder()
    for kind in KINDS:
        inside = folder / kind
        if inside.is_dir():
            for file in inside.iterdir():
                if file.name.endswith(".xml"):
                    yield f"{kind}/{file.name}", file.read_text(encoding="utf-8")


def is_stale(path: str, artifacts: Mapping[str, Artifact]) -> bool:
    """Whether a file was generated for what is there no more: a target, the other way of words."""
    mine = path in _NOT_ALWAYS or _TARGET.fullmatch(path) is not None
    return mine and path not in artifacts


def _folder() -> Traversable:
    # A wheel carries deploy/wso2 inside this package; in a checkout it stands where users look.
    installed = files("streams.flow") / "static"
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
