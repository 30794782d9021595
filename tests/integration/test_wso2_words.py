"""What a target says in headers, on its way through the real engine into the acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from streams.wso2.sender import Wso2Sender
from tests.deliveries import a_delivery
from tests.fix_wso2_flow import Flow
from tests.stand_ins import Answer, Bytes

pytestmark = pytest.mark.integration

PLAIN = frozenset(map(chr, range(0x20, 0x7F))) - set('"&<>\\')
EVERY_CHARACTER = "".join(map(chr, (*range(0x21, 0x7F), 0x20, 0x21)))  # HTTP trims the ends


@pytest.fixture
async def sender(synapse_flow: Flow) -> AsyncIterator[Wso2Sender]:
    settings = replace(synapse_flow.config.wso2, url=synapse_flow.url)
    async with Wso2Sender(settings) as opened:
        yield opened


def escaped(text: str) -> str:
    """Write a text as the header carries it."""
    units = text.encode("utf-16-be")
    points = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(at) if chr(at) in PLAIN else f"\\u{at:04x}" for at in points)


async def word_on(flow: Flow, sender: Wso2Sender, status: int, **headers: str) -> dict[str, Any]:
    """Let the target answer so, and return what the intake was told."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await word_after(flow, sender, Answer(status, b"", tuple(names.items())))


async def word_after(flow: Flow, sender: Wso2Sender, answer: Answer | Bytes) -> dict[str, Any]:
    delivery = a_delivery()
    flow.target.next(answer)
    await sender.send(delivery, 1)
    (word,) = await asyncio.to_thread(flow.words.of, delivery.id)
    return word


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(EVERY_CHARACTER, id="all of printable ASCII"),
        pytest.param("La quantité doit être positive : « 0 » ≤ œuvre", id="French"),
        pytest.param("合作伙伴不存在 \N{CJK UNIFIED IDEOGRAPH-20BB7}", id="Chinese"),
        pytest.param("\N{FACE WITH TEARS OF JOY} e\N{COMBINING ACUTE ACCENT}", id="two units"),
        pytest.param("partner_id: \"no\" 'such' one", id="quotes"),
        pytest.param("$1 $2 $99 ${x} {$ctx:cdc_id} $trp:Host", id="what looks like an argument"),
        pytest.param("C:\\new\\table \\u0041 \\\\ \\", id="backslashes"),
        pytest.param("one\ntwo\r\n\tthree\x7f", id="lines"),
        pytest.param("</text>]]><!-- &amp; -->", id="what ends XML"),
        pytest.param("x" * 600, id="600 characters"),
        pytest.param("\N{LATIN SMALL LETTER E WITH ACUTE}" * 100, id="600 characters of escapes"),
        pytest.param("_", id="one character"),
    ],
)
async def test_the_targets_message_arrives_as_it_is(
    synapse_flow: Flow, sender: Wso2Sender, text: str
) -> None:
    said = {"X_Cdc_Code": "VALIDATION_ERROR", "X_Cdc_Message": escaped(text)}

    word = await word_on(synapse_flow, sender, 422, **said)

    assert (word["status"], word["http_status"]) == ("rejected", 422)
    assert (word["code"], word["message"]) == ("VALIDATION_ERROR", text)


async def test_the_code_and_the_reason_of_a_retry_stand_beside_its_time(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    said = {"X_Cdc_Code": "BUSY", "X_Cdc_Message": "17 wait", "Retry_After": "7"}

    word = await word_on(synapse_flow, sender, 429, **said)

    assert (word["status"], word["retry_after"]) == ("retry", "7")
    assert (word["code"], word["message"]) == ("BUSY", "17 wait")


@pytest.mark.parametrize("target_id", ["1", "9" * 19])
async def test_the_targets_own_id_is_carried(
    synapse_flow: Flow, sender: Wso2Sender, target_id: str
) -> None:
    word = await word_on(synapse_flow, sender, 200, X_Cdc_Target_Id=target_id)

    assert (word["status"], word["target_id"]) == ("delivered", target_id)
    assert (word["code"], word["message"]) == ("HTTP_200", "")


async def test_names_of_headers_are_read_in_any_case(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    said = {"x_cdc_code": "TAKEN", "X_CDC_MESSAGE": "by another", "x_cdc_target_id": "3"}

    word = await word_on(synapse_flow, sender, 409, **said)

    assert (word["code"], word["message"], word["target_id"]) == ("TAKEN", "by another", "3")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("x" * 601, id="too long"),
        pytest.param("\\u00e9" * 101, id="too many escapes"),
        pytest.param("x" * 7000, id="far too long"),
        pytest.param("a\tb", id="a tab"),
        pytest.param('no","status":"DELIVERED', id="a quote"),
        pytest.param("&lt;", id="an ampersand"),
        pytest.param("</text>", id="tags"),
        pytest.param("\\", id="a backslash"),
        pytest.param('\\"', id="another escape"),
        pytest.param("\\n", id="a newline's escape"),
        pytest.param("\\u12", id="half an escape"),
        pytest.param("\\u00e", id="an escape that is cut"),
        pytest.param("\\U00e9", id="an escape of another kind"),
        pytest.param("\\\\u00e9", id="an escaped escape"),
        pytest.param("", id="nothing"),
    ],
)
async def test_a_message_that_does_not_fit_is_dropped_alone(
    synapse_flow: Flow, sender: Wso2Sender, message: str
) -> None:
    said = {"X_Cdc_Code": "REFUSED", "X_Cdc_Message": message, "X_Cdc_Target_Id": "17"}

    word = await word_on(synapse_flow, sender, 422, **said)

    assert (word["status"], word["http_status"], word["message"]) == ("rejected", 422, "")
    assert (word["code"], word["target_id"]) == ("REFUSED", "17")


@pytest.mark.parametrize(
    "code", ["validation", "A-B", "A B", "X" * 41, 'A"', "$1", "A\tB", "", "{x}"]
)
async def test_a_code_that_does_not_fit_is_the_status(
    synapse_flow: Flow, sender: Wso2Sender, code: str
) -> None:
    word = await word_on(synapse_flow, sender, 422, X_Cdc_Code=code, X_Cdc_Message="why")

    assert (word["status"], word["code"], word["message"]) == ("rejected", "HTTP_422", "why")


@pytest.mark.parametrize("target_id", ["-1", "1.5", "1e3", "9" * 20, "17,18", '7"', ""])
async def test_an_id_that_does_not_fit_is_dropped(
    synapse_flow: Flow, sender: Wso2Sender, target_id: str
) -> None:
    word = await word_on(synapse_flow, sender, 201, X_Cdc_Target_Id=target_id)

    assert (word["status"], word["target_id"]) == ("delivered", "")


@pytest.mark.parametrize(
    "after", ["1\t2", "1" * 41, '1","status":"DELIVERED$2', "<a>", "\\", "\\u0022", ""]
)
async def test_a_time_that_does_not_fit_is_dropped(
    synapse_flow: Flow, sender: Wso2Sender, after: str
) -> None:
    word = await word_on(synapse_flow, sender, 503, Retry_After=after)

    assert (word["status"], word["http_status"], word["retry_after"]) == ("retry", 503, "")


HOSTILE = [
    pytest.param(b"x" * 599 + b"\x01", id="a control character"),
    pytest.param(b"a\x1b[31mb", id="a terminal's sequence"),
    pytest.param(b"a\x00b", id="a null"),
    pytest.param(b"a\x7fb", id="delete"),
    pytest.param(b"a\rb", id="a carriage return"),
    pytest.param("déjà".encode(), id="UTF-8"),
    pytest.param(b"d\xe9j\xe0", id="Latin 1"),
]


@pytest.mark.parametrize("name", ["X-Cdc-Message", "X-Cdc-Code", "X-Cdc-Target-Id", "Retry-After"])
@pytest.mark.parametrize("value", HOSTILE)
async def test_bytes_that_no_header_may_hold_break_no_acknowledgement(
    synapse_flow: Flow, sender: Wso2Sender, name: str, value: bytes
) -> None:
    head = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n"
    answer = Bytes(head + name.encode() + b": " + value + b"\r\n\r\n")

    word = await word_after(synapse_flow, sender, answer)

    # Apache Synapse reads no answer that has other than ASCII in a header.
    status, code = (503, "HTTP_503") if value.isascii() else (0, "SYNAPSE_101503")
    assert (word["status"], word["http_status"], word["code"]) == ("retry", status, code)
    assert (word["message"], word["target_id"], word["retry_after"]) == ("", "", "")


async def test_without_such_headers_the_status_is_all_there_is(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    word = await word_on(synapse_flow, sender, 422)

    assert (word["status"], word["code"], word["http_status"]) == ("rejected", "HTTP_422", 422)
    assert (word["message"], word["target_id"], word["retry_after"]) == ("", "", "")


async def test_what_an_answer_said_is_not_said_of_one_that_did_not_come(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    said = {"X_Cdc_Code": "REFUSED", "X_Cdc_Message": "no", "X_Cdc_Target_Id": "17"}
    await word_on(synapse_flow, sender, 422, **said)
    delivery = a_delivery(target="gone")

    await sender.send(delivery, 1)

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert word["code"].startswith("SYNAPSE_")
    assert (word["message"], word["target_id"]) == ("", "")
