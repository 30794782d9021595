"""A target service's rules over one Odoo, delivery by delivery, without its HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from streams.applying.answer import Answer
from streams.applying.applier import Applier
from streams.applying.incoming import Operation, of
from streams.applying.known import Known
from streams.applying.reading import load
from streams.applying.settings import Settings
from streams.odoo.session import Session
from tests.odoo_client import Odoo
from tests.target_messages import key, message, ref

READS: Final = frozenset(
    ("fields_get", "read", "search", "search_read", "search_count", "check_access_rights")
)

MODELS: Final = """
models:
  product.template:
    fields: [name, list_price, default_code, type, sale_ok, active, taxes_id, categ_id,
             description_sale, attribute_line_ids]
    match: [default_code]
    on_leave: archive
    on_delete: archive
    defaults: {type: consu}
  product.template.attribute.line: {fields: [attribute_id, value_ids]}
  product.attribute: {fields: [name, create_variant]}
  product.attribute.value: {fields: [name, attribute_id]}
  product.product:
    fields: [default_code, barcode, product_tmpl_id]
    create: false
    match:
      - [product_tmpl_id, product_template_attribute_value_ids.product_attribute_value_id]
      - [product_tmpl_id]
  res.partner:
    fields: [name, email, ref, comment, is_company, category_id, child_ids, parent_id, country_id]
    match: [ref]
    on_delete: unlink
    refused: archive
  res.partner.category: {fields: [name, parent_id], on_delete: unlink}
  purchase.order:
    fields: [partner_id, partner_ref, date_order, notes, order_line]
    on_delete: cancel
    actions: {state: {purchase: button_confirm, cancel: button_cancel, draft: button_draft}}
  purchase.order.line:
    fields: [name, product_id, product_qty, price_unit, date_planned]
    emptied: {product_qty: 0}
  sale.order:
    fields: [partner_id, client_order_ref, order_line]
    on_delete: unlink
    actions: {state: {sale: action_confirm, cancel: action_cancel}}
  sale.order.line: {fields: [name, product_id, product_uom_qty, price_unit]}
"""


def target_yaml(odoo: Odoo, *, more: str = "", models: str = MODELS, reader: bool = False) -> str:
    """Return a target.yaml for an Odoo; `reader` logs in as one who may not write."""
    user, secret = (odoo.reader, odoo.reader_key) if reader else (odoo.user, odoo.api_key)
    return (
        f"odoo: {{url: {odoo.url}, database: {odoo.database}, user: {user},"
        f' api_key: "{secret}"}}\n{more}{models}'
    )


def settings_of(folder: Path, text: str) -> Settings:
    """Write a target.yaml and read it."""
    file = folder / "target.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


class Watched(Session):
    """A session whose calls are noted: (model, method)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.odoo, settings.context, settings.timeout)
        self.calls: list[tuple[str, str]] = []

    def call(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        self.calls.append((model, method))
        return super().call(model, method, *args, **options)


class Branch:
    """Deliveries of one source into one Odoo."""

    def __init__(self, settings: Settings, source: str, known: Known | None = None) -> None:
        self.settings = settings
        self.source = source
        self.session = Watched(settings)
        self.applier = Applier(settings, self.session, known)

    def deliver(
        self,
        model: str,
        record: int,
        fields: dict[str, Any] | None = None,
        *,
        last: Operation | None = None,
        **more: Any,
    ) -> Answer:
        """Apply a message about a record; the calls that it took are noted anew."""
        said = message(model, record, fields or {}, source=self.source, **more)
        self.session.calls.clear()
        return self.applier.apply(of(said), last)

    def key(self, model: str, record: int) -> str:
        return key(model, record, self.source)

    def ref(self, model: str, record: int) -> dict[str, str]:
        return ref(model, record, self.source)

    @property
    def wrote(self) -> list[tuple[str, str]]:
        """The calls of the last delivery that can have changed anything; `web_save` is a write."""
        wrote = [each for each in self.session.calls if each[1] not in READS]
        return [(model, "write" if how == "web_save" else how) for model, how in wrote]
