"""What a shadow holds, and what another file makes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cdc.engine.forms import Form, converter
from cdc.engine.holding import Attribute, Dropped, Holding
from cdc.engine.row import Layout
from cdc.engine.split import NULL, UNCHANGED, cells_of_values
from cdc.fitting import Fit, Wanted, begin, go_on
from cdc.progress import Progress
from cdc.selection import flatten
from schemas.document import Read, Shape
from tests.documents import MODELS, shape_of

ORDER = shape_of([Read("name"), Read("partner_id.name")])
MORE = shape_of([Read("name"), Read("amount_total"), Read("partner_id.name")])
TAGS = shape_of([Read("name"), Read("partner_id.name"), Read("tag_ids.name")])
PARTNER = shape_of([Read("name")], "res.partner")


def wanted(*shapes: Shape) -> Wanted:
    return Wanted(flatten(shapes, MODELS), MODELS, {})


def loaded(*shapes: Shape) -> tuple[Holding, Progress]:
    """Return the notes of a shadow that has read everything, as the shadow gives them back."""
    holding, progress = begin(wanted(*shapes))
    progress = replace(progress, frontiers={}, waiting=set())
    return again(holding, progress)


def again(holding: Holding, progress: Progress) -> tuple[Holding, Progress]:
    notes = json.loads(json.dumps([holding.to_json(), progress.to_json()]))
    return Holding.from_json(notes[0]), Progress.from_json(notes[1])


def read(fit: Fit) -> tuple[Holding, Progress]:
    """Return the notes once everything is read."""
    return again(fit.holding, replace(fit.progress, frontiers={}, again=set()))


def test_the_same_routes_change_nothing() -> None:
    fit = go_on(wanted(ORDER), *loaded(ORDER))

    assert not fit.passing
    assert (fit.progress.frontiers, fit.progress.dropping, fit.begun) == ({}, [], frozenset())
    assert fit.formers == {}


def test_a_field_more_is_read_while_documents_stay_what_they_were() -> None:
    fit = go_on(wanted(MORE), *loaded(ORDER))

    assert fit.passing
    assert [root.shape for root in fit.plan.roots] == [ORDER]
    assert fit.progress.frontiers == {"sale_order": None}
    assert fit.progress.again == {"sale_order"}
    assert "amount_total" in fit.plan.by_name["sale_order"].read

    then = go_on(wanted(MORE), *read(fit))

    assert not then.passing
    assert [root.shape for root in then.plan.roots] == [MORE]
    assert then.progress.frontiers == {}


def test_a_field_less_is_dropped_at_once_and_written_over_beside_the_stream() -> None:
    fit = go_on(wanted(ORDER), *loaded(MORE))

    assert not fit.passing
    assert [root.shape for root in fit.plan.roots] == [ORDER]
    assert fit.progress.frontiers == {"sale_order": None}
    assert list(fit.formers) == [
        fit.plan.by_name["sale_order"].number.to_bytes(2, "big") + b"\0\1"
    ]


def test_numbers_are_never_given_twice() -> None:
    holding, progress = loaded(TAGS)
    dropped = go_on(wanted(ORDER), holding, progress)
    back = go_on(wanted(TAGS), *read(dropped))

    gone = {each.number for each in dropped.progress.dropping if each.kind == "index"}
    assert gone
    assert Dropped("rows", holding.tables["crm_tag"].number) in dropped.progress.dropping
    assert back.holding.tables["crm_tag"].number != holding.tables["crm_tag"].number
    assert gone.isdisjoint(back.holding.tables["order_tag_rel"].indexes.values())
    kept = holding.tables["sale_order"].number
    assert back.holding.tables["sale_order"].number == kept


def test_a_model_more_whose_tables_are_held_begins_at_once() -> None:
    fit = go_on(wanted(ORDER, PARTNER), *loaded(ORDER))

    assert not fit.passing
    assert fit.begun == {"res.partner"}
    assert fit.progress.waiting == set()


def test_a_model_alone_that_was_never_published_waits_for_its_tables() -> None:
    fit = go_on(wanted(PARTNER), *loaded(TAGS))
    assert (fit.passing, fit.begun, fit.progress.waiting) == (False, {"res.partner"}, set())

    fit = go_on(wanted(TAGS), *loaded(PARTNER))
    assert (fit.passing, fit.progress.waiting) == (False, {"sale.order"})
    assert fit.progress.frontiers.keys() == fit.holding.tables.keys() - {"res_partner"}


def test_another_file_before_all_is_read_takes_the_place_of_the_one_before() -> None:
    first = go_on(wanted(MORE), *loaded(ORDER))
    second = go_on(wanted(TAGS), *again(first.holding, first.progress))

    assert second.passing
    assert [root.shape for root in second.plan.roots] == [ORDER]
    assert {"crm_tag", "order_tag_rel", "sale_order"} <= second.progress.frontiers.keys()
    assert "amount_total" not in second.plan.by_name["sale_order"].read
    assert len(second.holding.tables["sale_order"].forms) == 3


def test_a_first_load_goes_on_with_another_file() -> None:
    fit = go_on(wanted(MORE), *begin(wanted(ORDER)))

    assert not fit.passing
    assert fit.progress.waiting == {"sale.order"}
    assert [root.shape for root in fit.plan.roots] == [MORE]


@pytest.mark.parametrize(
    ("form", "values"),
    [
        pytest.param(Form(("d",), ("l",), ("a", "b")), [b"D", b"L", b"A", b"B"], id="the same"),
        pytest.param(Form((), ("a", "l"), ("d",)), [b"A", b"L", b"D"], id="in other places"),
        pytest.param(Form(("e",), (), ("b", "c")), [NULL, b"B", UNCHANGED], id="not held"),
    ],
)
def test_a_row_of_a_former_form_is_given_in_another(form: Form, values: list[bytes]) -> None:
    former = Form(("d",), ("l",), ("a", "b"))
    stored = _layout(former).join(cells_of_values([b"D"]), cells_of_values([b"L", b"A", b"B"]))
    wanted_cells = [v if v in {NULL, UNCHANGED} else cells_of_values([v])[0] for v in values]

    given = converter(former, form, _layout(form, b"\0\2"))(stored)

    guards = len(form.guards)
    assert given == _layout(form, b"\0\2").join(wanted_cells[:guards], wanted_cells[guards:])


def _layout(form: Form, head: bytes = b"\0\1") -> Layout:
    compared = len(form.links) + len(form.columns)
    return Layout(head, len(form.links), compared, (), written=False, entries=())


def made(*shapes: Shape, **more: Attribute) -> Wanted:
    """Return what is wanted of a database whose columns are texts, but for some partner's."""
    found = wanted(*shapes)
    types = {
        table: dict.fromkeys(names, Attribute(25))
        for table, names in found.selection.columns.items()
    }
    types["res_partner"] |= more
    return replace(found, types=types)


def known(*shapes: Shape) -> tuple[Holding, Progress]:
    holding, progress = begin(made(*shapes))
    return again(holding.read(()), replace(progress, frontiers={}, waiting=set()))


@pytest.mark.parametrize(
    "attribute",
    [Attribute(1043), Attribute(25, 9), Attribute(25, modifier=12)],
    ids=["of another type", "another column", "of another precision"],
)
def test_law_1_a_table_whose_column_was_made_anew_is_read_again(attribute: Attribute) -> None:
    fit = go_on(made(ORDER, PARTNER, name=attribute), *known(ORDER, PARTNER))

    assert (fit.progress.doubted, fit.skipped) == ({"res_partner"}, {"res_partner"})
    assert fit.progress.waiting == {"res.partner", "sale.order"}
    assert fit.progress.since.keys() == fit.progress.waiting

    read_since = again(fit.holding, replace(fit.progress, doubted=set()))
    once = go_on(made(ORDER, PARTNER, name=attribute), *read_since)
    assert once.progress.doubted == set()


@pytest.mark.parametrize(
    ("found", "doubted"),
    [
        pytest.param(Attribute(25, made=8, file=5), {"res_partner"}, id="ALTER ... USING"),
        pytest.param(Attribute(25, made=7, file=5), set(), id="VACUUM FULL"),
        pytest.param(Attribute(25, made=8, file=4), set(), id="SET NOT NULL"),
        pytest.param(Attribute(25), set(), id="not known"),
    ],
)
def test_law_1_a_table_whose_rows_were_written_anew_by_an_alteration_is_read_again(
    found: Attribute, doubted: set[str]
) -> None:
    before = made(ORDER, PARTNER, name=Attribute(25, made=7, file=4))
    holding, progress = begin(before)
    held = again(holding.read(()), replace(progress, frontiers={}, waiting=set()))

    fit = go_on(made(ORDER, PARTNER, name=found), *held)

    assert fit.progress.doubted == doubted


def test_a_table_is_read_again_where_the_stream_has_shown_what_nothing_explains() -> None:
    same = made(ORDER, PARTNER)

    assert go_on(same, *known(ORDER, PARTNER)).progress.doubted == set()
    suspected = go_on(same, *known(ORDER, PARTNER), suspects={"res_partner", ""})
    assert suspected.progress.doubted == {"res_partner"}


def test_law_1_who_shows_what_is_gone_waits_and_others_go_on() -> None:
    shown = shape_of([Read("name"), Read("parent_id.id")], "res.partner")
    gone = made(ORDER, shown)
    del gone.types["res_partner"]["parent_id"]  # type: ignore[attr-defined]
    gone = replace(gone, paused={"res.partner": "res.partner.parent_id is gone"})

    waits = go_on(gone, *known(ORDER, shown))

    assert waits.progress.paused == gone.paused
    assert (waits.progress.waiting, waits.progress.doubted) == ({"res.partner"}, set())
    assert waits.progress.complete(waits.plan) == []

    back = go_on(made(ORDER, shown), *again(waits.holding, waits.progress))

    assert back.progress.paused == {}
    assert "res_partner" in back.progress.doubted


def test_a_file_that_needs_less_is_taken_while_something_waits() -> None:
    both = made(MORE)
    waits = go_on(replace(both, paused={"sale.order": "it is so"}), *known(MORE))

    fit = go_on(made(ORDER), *again(waits.holding, waits.progress))

    assert fit.progress.paused == {}
    assert fit.progress.since.keys() == {"sale.order"}
    assert fit.formers


def test_columns_of_which_a_shadow_has_the_type_alone_are_read_again() -> None:
    made = {"id": Attribute(23, 1), "name": Attribute(1043, 2)}
    source = replace(wanted(PARTNER), types={"res_partner": made})
    holding, progress = begin(source)
    progress = replace(progress, frontiers={}, waiting=set())
    note = json.loads(json.dumps(holding.to_json()))
    same = go_on(source, Holding.from_json(note), progress)
    assert not same.progress.doubted

    types = note["tables"]["res_partner"]["types"]
    types |= {name: number for name, (number, *_) in types.items()}
    fit = go_on(source, Holding.from_json(note), progress)

    assert fit.progress.doubted == {"res_partner"}


def test_a_table_that_nobody_reads_any_more_is_not_told_of_as_being_read() -> None:
    holding, progress = begin(wanted(ORDER, PARTNER))
    for name in list(progress.frontiers):
        progress.read(name, 5, 10, 1.0)
        progress.loaded(name, (5,))

    fit = go_on(wanted(PARTNER), *again(holding, progress))

    assert fit.progress.reading.keys() == {"res_partner"}
    fit.progress.doubt(fit.plan, {"res_partner"})
    assert not fit.progress.reading
