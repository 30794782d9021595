"""Which record is which: by key, by external id, by rule, else made; and never twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from streams.applying.answer import AMBIGUOUS, CONFLICT, MISSING, Delivered, Rejected, Retry
from streams.applying.incoming import of
from tests.odoo_client import Odoo, Rpc
from tests.target_messages import message
from tests.target_rig import Branch, settings_of, target_yaml

pytestmark = pytest.mark.integration

PARTNER, TAG = "res.partner", "res.partner.category"


def count(rpc: Rpc, *domain: tuple[str, str, object]) -> int:
    return int(rpc(PARTNER, "search_count", list(domain), context={"active_test": False}))


def test_what_is_nowhere_is_made_and_carries_its_key(branch: Branch, rpc: Rpc) -> None:
    answer = branch.deliver(PARTNER, 7, {"name": "Azur"}, operation="create")

    assert isinstance(answer, Delivered)
    assert rpc.named(branch.source) == {"res_partner_7": (PARTNER, answer.target_id)}
    assert branch.deliver(PARTNER, 7, {"name": "Azure"}) == answer
    assert rpc.one(PARTNER, answer.target_id or 0, "name")["name"] == "Azure"


def test_a_record_and_its_key_are_made_in_one_call(branch: Branch) -> None:
    branch.deliver(PARTNER, 7, {"name": "Azur"}, operation="create")

    assert branch.wrote == [(PARTNER, "load")]


def test_an_external_id_of_the_source_is_found_and_the_key_is_added(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    (there,) = rpc.loaded(TAG, ["id", "name"], [f"{module}_x.gold", "Gold"])

    answer = branch.deliver(TAG, 7, {"name": "Golden"}, external_id=f"{module}_x.gold")

    assert answer == Delivered(there)
    assert rpc.named(branch.source) == {"res_partner_category_7": (TAG, there)}
    assert rpc.one(TAG, there, "name")["name"] == "Golden"


def test_what_began_here_and_comes_back_is_the_same_record(
    odoo_rpc: Odoo, rpc: Rpc, module: str, tmp_path: Path
) -> None:
    """The other system knows it by the key that it has in ours; a rule would not find it."""
    home = f"{module}_home"
    settings = settings_of(tmp_path, target_yaml(odoo_rpc, more=f"system: {home}\n"))
    branch = Branch(settings, module)
    number = rpc(PARTNER, "create", {"name": "Azur", "ref": f"{module}-1"})
    fields = {"name": "Azure", "ref": f"{module}-2"}

    answer = branch.deliver(PARTNER, 70, fields, external_id=f"{home}.res_partner_{number}")
    parent = {**branch.ref(PARTNER, 71), "external_id": f"{home}.res_partner_{number}"}
    child = branch.deliver(PARTNER, 72, {"name": "Child", "parent_id": parent})

    assert answer == Delivered(number)
    assert rpc.one(PARTNER, number, "ref")["ref"] == f"{module}-2"
    assert rpc.named(module)["res_partner_70"] == (PARTNER, number)
    assert isinstance(child, Delivered)
    assert rpc.one(PARTNER, child.target_id or 0, "parent_id")["parent_id"][0] == number


def test_what_began_here_and_has_gone_is_made_again(
    odoo_rpc: Odoo, rpc: Rpc, module: str, tmp_path: Path
) -> None:
    home = f"{module}_home"
    settings = settings_of(tmp_path, target_yaml(odoo_rpc, more=f"system: {home}\n"))
    number = rpc(PARTNER, "create", {"name": "Azur"})
    rpc(PARTNER, "unlink", [number])

    answer = Branch(settings, module).deliver(
        PARTNER, 70, {"name": "Azure"}, external_id=f"{home}.res_partner_{number}"
    )

    assert isinstance(answer, Delivered)
    assert rpc.named(module) == {"res_partner_70": (PARTNER, answer.target_id)}


def test_an_external_id_that_every_database_has_names_nobody(branch: Branch, rpc: Rpc) -> None:
    """`base.main_partner` is the company's own partner, there and here."""
    (_, main) = rpc.named("base")["main_partner"]
    name = rpc.one(PARTNER, main, "name")["name"]

    answer = branch.deliver(PARTNER, 1, {"name": "Headquarters"}, external_id="base.main_partner")
    child = {"parent_id": {**branch.ref(PARTNER, 1), "external_id": "base.main_partner"}}
    inside = branch.deliver(PARTNER, 2, {"name": "Child", **child})

    assert isinstance(answer, Delivered)
    assert isinstance(inside, Delivered)
    assert rpc.one(PARTNER, main, "name")["name"] == name
    parent = rpc.one(PARTNER, inside.target_id or 0, "parent_id")["parent_id"][0]
    assert parent == answer.target_id != main


def test_an_external_id_that_the_file_writes_is_meant(branch: Branch, rpc: Rpc) -> None:
    (_, main) = rpc.named("base")["main_partner"]
    fields = {"name": "Child", "parent_id": {"external_id": "base.main_partner"}}

    answer = branch.deliver(PARTNER, 2, fields)

    assert isinstance(answer, Delivered)
    assert rpc.one(PARTNER, answer.target_id or 0, "parent_id")["parent_id"][0] == main


def test_an_external_id_of_another_model_is_none_of_this_record(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    (tag,) = rpc.loaded("res.partner.category", ["id", "name"], [f"{module}_x.shop", "Shop"])

    answer = branch.deliver(PARTNER, 7, {"name": "Shop"}, external_id=f"{module}_x.shop")

    assert isinstance(answer, Delivered)
    assert rpc.named(branch.source) == {"res_partner_7": (PARTNER, answer.target_id)}
    assert rpc.named(f"{module}_x") == {"shop": ("res.partner.category", tag)}


def test_a_record_that_a_rule_fits_is_taken_once_and_named(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    there = rpc(PARTNER, "create", {"name": "Deco", "ref": module})

    answer = branch.deliver(PARTNER, 7, {"name": "Deco Addict", "ref": module})

    assert answer == Delivered(there)
    assert rpc.named(branch.source) == {"res_partner_7": (PARTNER, there)}
    again = branch.deliver(PARTNER, 7, {"name": "Deco Addict", "ref": f"{module} other"})
    assert again == Delivered(there)  # by its key: the rule fits it no more


def test_a_rule_with_an_empty_value_fits_nobody(branch: Branch, rpc: Rpc) -> None:
    rpc(PARTNER, "create", {"name": "No reference", "ref": False})

    answer = branch.deliver(PARTNER, 7, {"name": "Mine", "ref": None})

    assert isinstance(answer, Delivered)
    assert rpc.one(PARTNER, answer.target_id or 0, "name")["name"] == "Mine"


def test_an_archived_record_fits_where_no_active_one_does(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    there = rpc(PARTNER, "create", {"name": "Old", "ref": module, "active": False})

    assert branch.deliver(PARTNER, 7, {"name": "Old", "ref": module}) == Delivered(there)


def test_two_records_that_a_rule_fits_are_refused_by_their_ids(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    ids = rpc(PARTNER, "create", [{"name": "One", "ref": module}, {"name": "Two", "ref": module}])

    answer = branch.deliver(PARTNER, 7, {"name": "Which", "ref": module})

    assert isinstance(answer, Rejected)
    assert answer.code == AMBIGUOUS
    assert all(str(number) in answer.message for number in ids)
    assert rpc.named(branch.source) == {}


def test_a_record_that_is_another_record_of_the_source_fits_nobody_else(
    branch: Branch, rpc: Rpc, module: str
) -> None:
    first = branch.deliver(PARTNER, 7, {"name": "Seven", "ref": module})
    second = branch.deliver(PARTNER, 8, {"name": "Eight", "ref": module})

    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert first.target_id != second.target_id
    assert count(rpc, ("ref", "=", module)) == 2


def test_a_record_that_somebody_deleted_here_is_made_again(branch: Branch, rpc: Rpc) -> None:
    first = branch.deliver(PARTNER, 7, {"name": "Azur"})
    assert isinstance(first, Delivered)
    rpc(PARTNER, "unlink", [first.target_id])

    second = branch.deliver(PARTNER, 7, {"name": "Azur again"})

    assert isinstance(second, Delivered)
    assert second.target_id != first.target_id
    assert rpc.named(branch.source) == {"res_partner_7": (PARTNER, second.target_id)}


def test_names_of_many_deliveries_are_asked_for_at_once(branch: Branch, module: str) -> None:
    numbers = range(1, 6)
    for number in numbers:
        branch.deliver(TAG, number, {"name": f"tag {number}"})
    other = Branch(branch.settings, module)
    said = [message(TAG, number, {"name": "tag"}, source=module) for number in numbers]

    other.applier.prefetch([of(each) for each in said])
    asked = [each for each in other.session.calls if each[1].startswith("search")]
    later = [other.deliver(TAG, number, {"name": "tag"}) for number in numbers]

    assert asked == [("ir.model.data", "search_read"), (TAG, "search")]
    assert all(isinstance(each, Delivered) for each in later)
    assert ("ir.model.data", "search_read") not in other.session.calls


def test_in_a_batch_nobody_asks_for_a_key_that_is_not_there(branch: Branch, module: str) -> None:
    said = of(message(TAG, 1, {"name": "tag"}, source=module))
    absent = branch.applier.prefetch([said])
    branch.session.calls.clear()

    made = branch.applier.apply(replace(said, absent=absent), None)
    again = branch.applier.apply(replace(said, absent=absent), None)

    assert absent == {branch.key(TAG, 1)}
    assert isinstance(made, Delivered)
    assert again == made
    assert ("ir.model.data", "search_read") not in branch.session.calls


def test_law_5_what_was_absent_and_was_made_meanwhile_is_made_once(
    branch: Branch, module: str, rpc: Rpc
) -> None:
    """By somebody who shares no memory: another service."""
    said = of(message(PARTNER, 7, {"name": module}, source=module))
    absent = branch.applier.prefetch([said])
    other = Branch(branch.settings, module).deliver(PARTNER, 7, {"name": module})

    answer = branch.applier.apply(replace(said, absent=absent), None)

    assert answer == other
    assert count(rpc, ("name", "=", module)) == 1


def test_what_a_module_names_is_asked_for_though_it_was_absent(
    branch: Branch, module: str, rpc: Rpc
) -> None:
    name = f"{module}x.tag"
    said = of(message(TAG, 1, {"name": "tag"}, source=module, external_id=name))
    absent = branch.applier.prefetch([said])
    (there,) = rpc.loaded(TAG, ["id", "name"], [name, "of a module"])

    assert name in absent
    assert branch.applier.apply(replace(said, absent=absent), None) == Delivered(there)


def test_law_5_two_deliveries_at_the_same_time_never_make_two(
    odoo_rpc: Odoo, module: str, rpc: Rpc, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, target_yaml(odoo_rpc))
    branches = [Branch(settings, module) for _ in range(4)]
    start = threading.Barrier(len(branches))
    answers: list[object] = []

    def deliver(branch: Branch) -> None:
        branch.session.call(PARTNER, "search_count", [])  # logged in
        start.wait()
        answers.append(branch.deliver(PARTNER, 7, {"name": module}))

    threads = [threading.Thread(target=deliver, args=(each,)) for each in branches]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert count(rpc, ("name", "=", module)) == 1
    for each in answers:
        if isinstance(each, Retry):
            assert each.code == CONFLICT
        else:
            assert isinstance(each, Delivered)
    assert any(isinstance(each, Delivered) for each in answers)


def test_a_variant_is_found_by_its_template_and_values(branch: Branch, rpc: Rpc) -> None:
    branch.deliver("product.attribute", 5, {"name": "Color", "create_variant": "always"})
    for number, name in ((51, "Red"), (52, "Blue")):
        fields = {"name": name, "attribute_id": branch.ref("product.attribute", 5)}
        branch.deliver("product.attribute.value", number, fields)
    line = {
        "key": branch.key("product.template.attribute.line", 9),
        "attribute_id": branch.ref("product.attribute", 5),
        "value_ids": [branch.ref("product.attribute.value", number) for number in (51, 52)],
    }
    before = branch.deliver("product.product", 302, _variant(branch, 52, "SH-B"))
    template = branch.deliver(
        "product.template", 30, {"name": "Shirt", "attribute_line_ids": [line]}
    )

    after = branch.deliver("product.product", 302, _variant(branch, 52, "SH-B"))

    assert isinstance(before, Retry)
    assert before.code == MISSING
    assert isinstance(template, Delivered)
    assert isinstance(after, Delivered)
    row = rpc.one("product.product", after.target_id or 0, "display_name", "product_tmpl_id")
    assert row["display_name"] == "[SH-B] Shirt (Blue)"
    assert row["product_tmpl_id"][0] == template.target_id


def _variant(branch: Branch, value: int, code: str) -> dict[str, object]:
    return {
        "product_tmpl_id": branch.ref("product.template", 30),
        "product_template_attribute_value_ids.product_attribute_value_id": [
            branch.ref("product.attribute.value", value)
        ],
        "default_code": code,
    }
