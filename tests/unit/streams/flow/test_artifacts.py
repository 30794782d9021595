from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from schemas.config import Config, ConfigError
from streams.commands.wso2 import NotWritable, write
from streams.flow.artifact import Artifact, NotGenerated
from streams.flow.artifacts import generate, is_stale, static

NS = "{http://ws.apache.org/ns/synapse}"
Configure = Callable[..., Config]

STATIC = {
    "api/CdcIntake.xml",
    "sequences/CdcAccept.xml",
    "sequences/CdcAck.xml",
    "sequences/CdcAckDone.xml",
    "sequences/CdcAckFault.xml",
    "sequences/CdcAnswer.xml",
    "sequences/CdcDeliver.xml",
    "sequences/CdcDeliverFault.xml",
    "sequences/CdcIntakeFault.xml",
    "sequences/CdcOutcome.xml",
    "sequences/CdcReply.xml",
    "sequences/CdcRoute.xml",
    "sequences/CdcWord.xml",
}
GENERATED = {
    "sequences/CdcAckAuthorization.xml",
    "sequences/CdcKnownTargets.xml",
    "sequences/CdcTargetAuthorization.xml",
    "endpoints/CdcAckIntake.xml",
}


def root(artifacts: dict[str, Artifact], path: str) -> ET.Element:
    return ET.fromstring(artifacts[path].text)  # noqa: S314 - our own text


def test_static_and_generated_artifacts_make_the_flow(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config(targets={"webshop": "http://shop.example/in"}))

    assert set(artifacts) == STATIC | GENERATED | {"endpoints/CdcTarget_webshop.xml"}
    assert {path for path, _ in static()} == STATIC


def test_each_artifact_is_named_as_its_file(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config(targets={"a": "http://a/in", "b-c": "http://b/in"}))

    for path in artifacts:
        assert root(artifacts, path).get("name") == Path(path).stem
        kind = {"api": "api", "sequences": "sequence", "endpoints": "endpoint"}
        assert root(artifacts, path).tag == NS + kind[path.split("/")[0]]


def test_every_sequence_that_is_named_exists(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config(targets={"webshop": "http://shop.example/in"}))

    named = set()
    for path in artifacts:
        for element in root(artifacts, path).iter():
            keys = ["sequence", "onError", "faultSequence", "receive"]
            named |= {element.get(key) for key in keys}
            if element.tag == NS + "sequence":
                named.add(element.get("key"))
    for name in named - {None}:
        assert f"sequences/{name}.xml" in artifacts


def test_the_order_of_targets_in_the_file_changes_nothing(wso2_config: Configure) -> None:
    one = generate(wso2_config(targets={"a": "http://a/in", "b": "http://b/in"}))
    other = generate(wso2_config(targets={"b": "http://b/in", "a": "http://a/in"}))

    assert list(one.items()) == list(other.items())


def test_urls_are_escaped_and_come_back_whole(wso2_config: Configure) -> None:
    url = "https://shop.example/in?a=1&b='<\">'&c=%20"
    artifacts = generate(wso2_config(targets={"webshop": url}))

    address = root(artifacts, "endpoints/CdcTarget_webshop.xml").find(NS + "address")
    assert address is not None
    assert address.get("uri") == url


def test_the_endpoint_waits_as_long_as_the_target_may_take(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config(targets={"webshop": "http://shop/in"}, timeout="1500ms"))

    duration = root(artifacts, "endpoints/CdcTarget_webshop.xml").find(f".//{NS}duration")
    assert duration is not None
    assert duration.text == "1500"


def test_a_token_goes_into_a_file_that_only_its_owner_reads(
    wso2_config: Configure, tmp_path: Path
) -> None:
    artifacts = generate(wso2_config(token='s3cr&t"'))

    write(artifacts, tmp_path)

    path = "sequences/CdcAckAuthorization.xml"
    header = root(artifacts, path).find(NS + "property")
    assert header is not None
    assert header.get("value") == 'Bearer s3cr&t"'
    assert [p for p, artifact in artifacts.items() if "s3cr" in artifact.text] == [path]
    assert [p for p, artifact in artifacts.items() if artifact.secret] == [path]
    assert (tmp_path / path).stat().st_mode & 0o777 == 0o600


def test_without_a_token_nothing_is_added(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config())

    assert len(root(artifacts, "sequences/CdcAckAuthorization.xml")) == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"token": "two words"}, "acks.token", id="a token with a blank"),
        pytest.param({"targets": {"a": "http://a/{x}"}}, "targets.a.url", id="a template"),
        pytest.param({"targets": {"a": "ftp://a/in"}}, "targets.a.url", id="another protocol"),
    ],
)
def test_what_wso2_cannot_be_given_is_refused(
    wso2_config: Configure, settings: dict[str, object], said: str
) -> None:
    # Some of it the file may not even say.
    with pytest.raises((NotGenerated, ConfigError), match=said) as refusal:
        generate(wso2_config(**settings))

    assert refusal.value.hint


def test_writing_twice_changes_nothing_and_removes_what_is_gone(
    wso2_config: Configure, tmp_path: Path
) -> None:
    both = generate(wso2_config(targets={"a": "http://a/in", "b": "http://b/in"}))
    one = generate(wso2_config(targets={"a": "http://a/in"}))
    (tmp_path / "endpoints").mkdir()
    (tmp_path / "endpoints/Own.xml").write_text("<own/>")

    first, again, fewer = write(both, tmp_path), write(both, tmp_path), write(one, tmp_path)

    assert (first.changed, first.unchanged) == (list(both), [])
    assert (again.changed, again.unchanged) == ([], list(both))
    assert fewer.removed == ["endpoints/CdcTarget_b.xml"]
    assert fewer.changed == ["sequences/CdcKnownTargets.xml"]
    assert (tmp_path / "endpoints/Own.xml").exists()


def test_a_folder_that_is_a_file_is_refused(wso2_config: Configure, tmp_path: Path) -> None:
    (tmp_path / "api").write_text("")

    with pytest.raises(NotWritable):
        write(generate(wso2_config()), tmp_path)


def test_only_our_endpoints_are_stale() -> None:
    assert is_stale("endpoints/CdcTarget_b.xml", {})
    assert not is_stale("endpoints/CdcTarget_b.xml", {"endpoints/CdcTarget_b.xml": Artifact("")})
    assert not is_stale("endpoints/Own.xml", {})


def test_words_go_to_the_response_queue_where_that_is_asked_for(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config(token="s3cret-token"), to_kafka=True)

    assert set(artifacts) == (
        STATIC - {"sequences/CdcAckDone.xml"}
        | GENERATED - {"sequences/CdcAckAuthorization.xml", "endpoints/CdcAckIntake.xml"}
        | {"endpoints/CdcTarget_webshop.xml", "local-entries/CdcKafka.xml"}
    )
    for artifact in artifacts.values():
        assert not artifact.secret
        assert "s3cret-token" not in artifact.text
        assert "CdcAckIntake" not in artifact.text
    sequence = root(artifacts, "sequences/CdcAck.xml")
    publish = sequence.find(f"{NS}kafkaTransport.publishMessages")
    assert publish is not None
    said = {child.tag.removeprefix(NS): child.text for child in publish}
    assert said == {"topic": "odoo_a.responses", "key": "{$ctx:cdc_chain}"}
    entry = root(artifacts, "local-entries/CdcKafka.xml")
    assert entry.get("key") == publish.get("configKey") == "CdcKafka"
    settings = {child.tag.removeprefix(NS): child.text for child in entry[0]}
    assert settings["bootstrapServers"] == "127.0.0.1:9092"
    assert settings["acks"] == "all"


def test_both_ways_say_the_same_of_a_delivery(wso2_config: Configure) -> None:
    """The engine runs the one, only WSO2 the other."""
    config = wso2_config()
    by_http, by_kafka = (generate(config, to_kafka=to_kafka) for to_kafka in (False, True))

    def said(artifacts: dict[str, Artifact]) -> list[str | None]:
        word, factory, enrich = root(artifacts, "sequences/CdcAck.xml")[:3]
        assert factory.find(f"{NS}args/*") is None  # it would take backslashes out of them
        return [word.get("key"), *(each.get("property") for each in enrich.iter(f"{NS}source"))]

    assert said(by_http) == said(by_kafka) == ["CdcWord", "cdc_word"]
    word = "sequences/CdcWord.xml"
    assert by_http[word] == by_kafka[word]


def test_the_other_way_leaves_nothing_behind(wso2_config: Configure, tmp_path: Path) -> None:
    config = wso2_config()
    write(generate(config), tmp_path)

    written = write(generate(config, to_kafka=True), tmp_path)

    assert written.removed == [
        "sequences/CdcAckAuthorization.xml",
        "sequences/CdcAckDone.xml",
        "endpoints/CdcAckIntake.xml",
    ]
    back = write(generate(config), tmp_path)
    assert back.removed == ["local-entries/CdcKafka.xml"]


def test_only_users_of_wso2_may_call_where_that_is_asked_for(wso2_config: Configure) -> None:
    config = wso2_config()
    open_to_all, guarded = generate(config), generate(config, guard=True)

    changed = {path for path, each in guarded.items() if each != open_to_all[path]}
    assert changed == {"api/CdcIntake.xml"}
    api = root(guarded, "api/CdcIntake.xml")
    assert [child.tag.removeprefix(NS) for child in api] == ["resource", "handlers"]
    handler = "org.wso2.micro.integrator.security.handler.RESTBasicAuthHandler"
    assert [each.get("class") for each in api.iterfind(f"{NS}handlers/{NS}handler")] == [handler]
