"""`shadow-run --compare`, typed: files in, counts and differences out, no service needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdc.__main__ import main
from tests.programs import sync_yaml

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Return what types the command: `typed(old, ours, *options)` gives its code and words."""
    config = tmp_path / "sync.yaml"
    routes = "routes:\n  - {name: orders, model: sale.order, targets: [shop], fields: [name]}"
    config.write_text(
        sync_yaml(source="odoo_a", dsn="host=db", kafka="k:9", targets=["shop"], routes=routes)
    )

    def type_it(old: Any, ours: Any, *options: str) -> tuple[int, str, str]:
        names = []
        for name, lines in (("old", old), ("ours", ours)):
            file = tmp_path / f"{name}.jsonl"
            text = lines if isinstance(lines, str) else "".join(f"{each}\n" for each in lines)
            file.write_text(text, encoding="utf-8")
            names.append(str(file))
        words = ["--compare", names[0], "--file", names[1], "-c", str(config)]
        code = main(["shadow-run", *words, *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_it


def our(record: int, fields: Any, **more: Any) -> str:
    """Return a line of a shadow run."""
    number = more.get("number", 1)
    route, model = more.get("route", "orders"), more.get("model", "sale.order")
    target = more.get("target", "shop")
    about = {"model": model, "id": record, "operation": more.get("operation", "update")}
    said = {
        "id": f"odoo_a/{target}/{model}/{record}/{route}/{number}",
        "time": f"2026-11-23T10:00:0{number}Z",
        "data": {"routing": {"route": route, "target": target}, "record": about, "fields": fields},
    }
    if "refused" in more:
        said["undeliverable"] = {"code": "TOO_LARGE", "why": more["refused"]}
    return json.dumps(said)


def old(record: int, fields: Any, **more: Any) -> str:
    """Return a line as a queue of a module may have it."""
    return json.dumps(
        {"id": 900 + record, "model": "sale.order", "res_id": record, **more}
        | ({} if fields is None else {"payload": json.dumps(fields)})
    )


def test_equal_is_0_and_what_odoo_writes_otherwise_is_equal(typed: Typed) -> None:
    theirs = {"name": "S1", "total": 12.5, "note": False, "partner": [7, "Azure"]}
    ours = {"name": "S1", "total": "12.50", "partner": 7, "note": None}

    code, said, _ = typed([old(1, {"name": "S0"}), old(1, theirs)], [our(1, ours)])

    assert code == 0
    assert "id at res_id, model at model, fields at payload" in said
    assert typed([old(1, theirs)], [our(1, ours)], "--strict")[0] == 1
    assert typed([old(1, theirs)], [our(1, ours)], "--strict", "numbers")[0] == 1
    assert typed([old(1, theirs)], [our(1, ours)], "--strict", "datetimes")[0] == 0


def test_counts_come_first_then_fields_then_the_latest_records(typed: Typed) -> None:
    theirs = [old(n, {"name": f"S{n}", "total": n}) for n in (1, 2, 3, 4)]
    ours = [our(n, {"name": f"S{n}", "total": n + (n > 1)}) for n in (1, 2, 3, 5)]

    code, said, _ = typed(theirs, ours, "--last", "2")

    assert code == 1
    assert said.splitlines()[0].startswith("5 records compared")
    assert said.splitlines()[3].split() == ["1", "2", "1", "1", "0"]
    assert "total  2" in said
    assert "sale.order 3  odoo_a/shop/sale.order/3/orders/1\n  - total: 3\n  + total: 4" in said
    assert "sale.order 5" in said
    assert "sale.order 4" not in said
    assert "2 more records differ: --last 4, or --json" in said
    assert "\x1b" not in said


def test_json_has_them_all(typed: Typed) -> None:
    code, said, _ = typed([old(1, {"a": 1.50}), old(2, {})], [our(1, {"a": 2, "b": 3})], "--json")

    told = json.loads(said)
    assert code == 1
    assert told["counts"] == {
        "equal": 0, "different": 1, "only_old": 1, "only_ours": 0, "undeliverable": 0,
    }  # fmt: skip
    assert told["by_field"] == {"a": 1, "b": 1}
    last = told["differences"][-1]
    assert last["fields"] == [{"field": "a", "old": 1.5, "ours": 2}, {"field": "b", "ours": 3}]


def test_what_is_gone_is_gone_on_both_sides(typed: Typed) -> None:
    gone = our(1, {"a": 1}, operation="leave", number=2)

    assert typed([old(1, {"a": 1}, action="write"), old(1, None, action="unlink")], [gone])[0] == 0
    code, said, _ = typed([old(1, {"a": 1})], [our(1, {"a": 1}), gone])
    assert code == 1
    assert "only old: ours says that it has left or was deleted" in said


def test_what_could_not_be_sent_is_a_difference_with_its_reason(typed: Typed) -> None:
    code, said, _ = typed([old(1, {"a": 1})], [our(1, {}, refused="2000000 bytes")])

    assert code == 1
    assert "undeliverable: TOO_LARGE: 2000000 bytes" in said


def test_other_forms_are_said_with_options(typed: Typed) -> None:
    body = {"Number": "S1", "stamp": 9}
    line = json.dumps({"rec": {"pk": "1"}, "body": body, "to": "shop", "try": 1.5})
    other = line.replace("shop", "erp").replace("S1", "S2")
    form = ("--old-id", "rec.pk", "--old-fields", "body")

    code, said, _ = typed(
        [line, other],
        [our(1, {"name": "S1"})],
        *form,
        *("--rename", "Number=name", "--ignore", "stamp", "--old-where", "to=shop"),
        *("--old-where", "try=1.5"),
    )

    assert code == 0, said


def test_a_line_may_be_the_fields_themselves(typed: Typed) -> None:
    assert typed(['{"id": 1, "name": "S1"}'], [our(1, {"name": "S1"})])[0] == 0


def test_every_state_of_the_other_program_must_be_among_ours(typed: Typed) -> None:
    ours = [our(1, {"a": n}, number=n) for n in (1, 2, 3)]

    assert typed([old(1, {"a": 1}), old(1, {"a": 1}), old(1, {"a": 3})], ours, "--every")[0] == 0
    assert typed([old(1, {"a": 9}), old(1, {"a": 3})], ours)[0] == 0
    code, said, _ = typed([old(1, {"a": 9}), old(1, {"a": 3})], ours, "--every")
    assert code == 1
    assert "- a: 9" in said
    code, said, _ = typed([old(1, {"a": 3}), old(1, {"a": 1})], ours, "--every")
    assert code == 1


def test_common_counts_the_others_and_does_not_mind(typed: Typed) -> None:
    lines = [old(1, {"a": 1}), old(2, {"a": 1})], [our(1, {"a": 1}), our(3, {"a": 1})]

    assert typed(*lines)[0] == 1
    code, said, _ = typed(*lines, "--common")
    assert code == 0
    assert said.splitlines()[3].split() == ["1", "0", "1", "1", "0"]


def test_our_lines_are_picked(typed: Typed) -> None:
    ours = [our(1, {"a": 1}), our(1, {"b": 1}, route="names"), our(1, {"a": 2}, number=5)]

    code, _, said = typed([old(1, {"a": 1})], ours)
    assert code == 2
    assert "sale.order has lines of the routes names, orders" in said
    until = "2026-11-23T10:00:04Z"
    assert typed([old(1, {"a": 1})], ours, "--route", "orders", "--until", until)[0] == 0
    assert typed([old(1, {"b": 1})], ours, "--route", "names", "--target", "shop")[0] == 0
    code, _, said = typed([old(1, {"a": 1})], ours, "--route", "order")
    assert code == 2
    assert 'did you mean "orders"?' in said


def test_a_line_that_is_being_written_is_left_for_later(typed: Typed) -> None:
    ours = our(1, {"a": 1}) + "\n" + our(1, {"a": 2})[:40]

    assert typed([old(1, {"a": 1})], ours)[0] == 0


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param("", "old.jsonl is empty", id="empty"),
        pytest.param('[{"id": 1}]', "old.jsonl:1: it is no object", id="a list"),
        pytest.param('{"id": 1}\n\n{"id": 1', "old.jsonl:3: the last line may be torn", id="torn"),
        pytest.param('{"id": 1}\n{"id": NaN}\n', "old.jsonl:2: NaN is not JSON", id="NaN"),
        pytest.param('{"id": 1}\n{"id": "x"}\n', "2: no id of a record stands at id", id="no id"),
        pytest.param('{"name": 1}\n', "it has none of res_id, record_id", id="no id at all"),
        pytest.param('{"id": 1}\n{"id": 2, "a": 1e999999}\n', "2: 1e999999... is no", id="huge"),
        pytest.param('{"id": 1, "fields": 5}\n', "no object stands at fields", id="fields"),
        pytest.param("[" * 100_000 + "\n", "nested too deep", id="very deep"),
        pytest.param('{"id": 1, "a": ' + "[" * 70 + "]" * 70 + "}", "nested too", id="deep"),
    ],
)
def test_law_10_what_cannot_be_read_is_named_with_its_line(
    typed: Typed, lines: str, says: str
) -> None:
    code, _, said = typed(lines, [our(1, {"a": 1})])

    assert code == 2
    assert says in said
    assert "hint: " in said


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--rename", "a"], id="rename"),
        pytest.param(["--old-where", "=x"], id="where"),
        pytest.param(["--until", "yesterday"], id="until"),
        pytest.param(["--until", "2026-11-23T10:00"], id="without a zone"),
        pytest.param(["--name", "../x"], id="name"),
        pytest.param(["--compare", "/nowhere.jsonl"], id="no file"),
        pytest.param(["--strict", "dates"], id="strict"),
    ],
)
def test_law_10_what_is_typed_wrong_is_refused(typed: Typed, options: list[str]) -> None:
    assert typed([old(1, {"a": 1})], [our(1, {"a": 1})], *options)[0] == 2


def test_a_text_that_no_terminal_can_show_is_shown_all_the_same(typed: Typed) -> None:
    code, said, _ = typed([old(1, {"a": "\ud800"})], [our(1, {"a": "x"})])

    assert code == 1
    assert "\\ud800" in said


def test_records_that_we_know_nothing_of_are_differences(typed: Typed) -> None:
    code, said, _ = typed([old(1, {"a": 1})], "")

    assert code == 1
    assert said.splitlines()[3].split() == ["0", "0", "1", "0", "0"]


def test_nothing_to_compare_is_no_success(typed: Typed) -> None:
    code, _, said = typed([old(1, {"a": 1})], "", "--old-where", "model=res.partner")

    assert code == 1
    assert "there is nothing to compare" in said
