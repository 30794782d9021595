"""No secret that is known comes out, in whichever form it comes back."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.masking import SHORTEST, STARS, Mask

printable = st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("C", "Z"))
secret_texts = st.text(
    st.one_of(st.sampled_from("%/@:+&?#='\"\\<>{}$~"), printable), min_size=SHORTEST, max_size=40
)
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a path": quote,
    "in a URL's password": lambda text: quote(text, safe=""),
    "in small hex": lambda text: quote(text, safe="").replace("%C3", "%c3").lower(),
    "in a query": quote_plus,
    "in a form": lambda text: urlencode({"client_secret": text}),
    "in JSON": json.dumps,
    "in JSON as text": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"token": text})),
    "in Python": repr,
    "in Python's bytes": lambda text: repr(text.encode()),
    "in XML": escape,
    "in an attribute": quoteattr,
    "in HTML": html.escape,
    "in SQL": lambda text: "'" + text.replace("'", "''") + "'",
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}
FORMS.pop("in small hex")  # see `test_percent_codes_in_small_letters`


@given(secret_texts, st.text(max_size=20), st.text(max_size=20))
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_in_every_form_and_wherever_it_stands(
    form: Callable[[str], str], secret: str, before: str, after: str
) -> None:
    mask = Mask()
    mask.learn("acks.token", secret)
    written = form(secret)

    assert secret not in mask.hide(f"{before}{written}{after}")
    assert written.strip("\"'") not in mask.hide(f"{before} {written} {after}")
    assert STARS in mask.hide(written)


@given(st.text("é/@ü", min_size=SHORTEST))
def test_percent_codes_in_small_letters_are_seen_too(secret: str) -> None:
    mask = Mask()
    mask.learn("acks.token", secret)

    assert mask.hide(quote(secret, safe="").lower()) == STARS


@given(st.lists(secret_texts, min_size=1, max_size=4), st.text())
def test_what_holds_no_secret_stays_as_it_is(secrets: list[str], text: str) -> None:
    mask = Mask()
    for number, secret in enumerate(secrets):
        mask.learn(f"place {number}", secret)

    hidden = mask.hide(text)

    assert hidden == text or STARS in hidden


def test_each_line_of_a_key_is_a_secret_and_its_heading_is_none() -> None:
    mask = Mask()
    lines = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADAN", "BgkqhkiG9w0B", "-----END ...-----"]
    mask.learn("kafka.ssl.key.pem", "\n".join(lines))

    assert mask.hide(" ".join(lines)) == f"{lines[0]} {STARS} {STARS} {lines[3]}"


def test_what_could_be_any_word_is_left_alone() -> None:
    mask = Mask()
    mask.learn("source.dsn", "odoo")
    mask.learn("acks.token", "")

    assert mask.hide("odoo-cdc") == "odoo-cdc"
