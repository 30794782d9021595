from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import record_key
from streams.applying.own import own_id

PRODUCT = "product.template"


@given(st.integers(1, 2**31 - 1))
def test_a_key_that_came_from_here_tells_its_record(number: int) -> None:
    assert own_id(PRODUCT, record_key("odoo_a", PRODUCT, number), "odoo_a") == number


@pytest.mark.parametrize(
    ("model", "name", "system"),
    [
        pytest.param(PRODUCT, "odoo_b.product_template_7", "odoo_a", id="another system's"),
        pytest.param(PRODUCT, "odoo_a.product_product_7", "odoo_a", id="another model's"),
        pytest.param("product", "odoo_a.product_template_7", "odoo_a", id="a longer model's"),
        pytest.param(PRODUCT, "odoo_a.product_template_7", "", id="nobody captures this Odoo"),
        pytest.param(PRODUCT, "odoo_a.product_template_007", "odoo_a", id="written otherwise"),
        pytest.param(PRODUCT, "odoo_a.product_template_0", "odoo_a", id="no id"),
        pytest.param(PRODUCT, "odoo_a.product_template_2147483648", "odoo_a", id="too large"),
        pytest.param(PRODUCT, "odoo_a.product_template_\u0667", "odoo_a", id="another digit"),
        pytest.param(PRODUCT, "odoo_a.product_template_7\n", "odoo_a", id="more behind it"),
        pytest.param(PRODUCT, "odoo_a.desk", "odoo_a", id="a name of a module"),
    ],
)
def test_what_is_none_of_its_keys_tells_nothing(model: str, name: str, system: str) -> None:
    assert own_id(model, name, system) is None
