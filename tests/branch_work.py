"""What a branch office gets from its source, over many models, and whether it has it in the end.

Categories, companies with contacts, products, and sale orders that become purchase orders with
lines. Each record changes many times; what it says last is what must be there, once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tests.odoo_client import Odoo, Rpc
from tests.target_messages import key, message, ref

CATEGORY, PARTNER, PRODUCT, ORDER = (
    "res.partner.category",
    "res.partner",
    "product.template",
    "purchase.order",
)
LINES: Final = 5  # at most, of an order or a company
_ALL: Final = {"active_test": False}
_AUDIT: Final = """
CREATE TABLE audit (id bigserial, record text, version text);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (record, version)
  VALUES (TG_TABLE_NAME || NEW.id, to_jsonb(NEW) ->> TG_ARGV[0]);
  RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON res_partner
  FOR EACH ROW EXECUTE FUNCTION noted('email');
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON product_template
  FOR EACH ROW EXECUTE FUNCTION noted('description_sale');
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON purchase_order
  FOR EACH ROW EXECUTE FUNCTION noted('partner_ref');
"""


def audited(odoo: Odoo) -> None:
    """Have the database of a stand-in note every version that it is given."""
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        connection.execute(_AUDIT)


@dataclass(frozen=True)
class Harm:
    """What must be nothing."""

    twice: int
    missing: int
    older_after_newer: int
    wrong_ends: int


@dataclass
class Work:
    """So many records of each kind, each with so many versions."""

    source: str
    categories: int
    others: int
    versions: int
    seed: int = 7
    chains: list[list[dict[str, Any]]] = field(default_factory=list)
    last: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311  any
        makers = {
            CATEGORY: self._category,
            PARTNER: self._partner,
            PRODUCT: self._product,
            ORDER: self._order,
        }
        for model, make in makers.items():
            count = self.categories if model == CATEGORY else self.others
            for number in range(1, count + 1):
                chain = [make(number, version) for version in range(1, self.versions + 1)]
                self.last[model, number] = chain[-1]
                origin = "sale.order" if model == ORDER else model
                self.chains.append(
                    [
                        message(origin, number, said, target_model=model, source=self.source)
                        for said in chain
                    ]
                )
        self._chance.shuffle(self.chains)

    @property
    def deliveries(self) -> int:
        return sum(map(len, self.chains))

    def _category(self, number: int, version: int) -> dict[str, Any]:
        return {"name": f"{self.source} {number} {version:03}"}

    def _partner(self, number: int, version: int) -> dict[str, Any]:
        some = self._chance.sample(range(1, self.categories + 1), min(2, self.categories))
        contacts = [
            {
                "key": f"{self.source}.contact_{number * 100 + each}",
                "name": f"contact {each}",
                "ref": f"{self.source}-C{number}",
            }
            for each in self._some()
        ]
        return {
            "name": f"Company {number}",
            "ref": f"{self.source}-P{number}",
            "email": f"{version:03}@example.com",
            "is_company": True,
            "comment": f"<p>version {version}</p>",
            "category_id": [ref(CATEGORY, each, self.source) for each in some],
            "child_ids": contacts,
        }

    def _product(self, number: int, version: int) -> dict[str, Any]:
        return {
            "name": f"Product {number}",
            "default_code": f"{self.source}-D{number}",
            "list_price": f"{version}.50",
            "description_sale": f"{version:03}",
        }

    def _order(self, number: int, version: int) -> dict[str, Any]:
        lines = [
            {
                "key": f"{self.source}.line_{number * 100 + each}",
                "name": f"{self.source} line {each}",
                "product_id": {"match": {"default_code": f"{self.source}-D{self._any()}"}},
                "product_qty": self._chance.randint(1, 9),
                "price_unit": f"{self._chance.randint(100, 999)}.25",
            }
            for each in self._some()
        ]
        return {
            "partner_id": ref(PARTNER, self._any(), self.source),
            "partner_ref": f"{version:03}",
            "order_line": lines,
        }

    def _any(self) -> int:
        return self._chance.randint(1, self.others)

    def _some(self) -> Sequence[int]:
        return self._chance.sample(range(1, LINES + 1), self._chance.randint(1, LINES))

    def harm(self, odoo: Odoo) -> Harm:
        """Look at everything that is there."""
        rpc = odoo.client()
        named = rpc.named(self.source)
        there = self._counted(rpc)
        wanted = self._expected()
        wrong = sum(
            found != each
            for name, each in wanted.items()
            for found in [self._end(rpc, name, named)]
        )
        return Harm(
            twice=sum(max(0, there[what] - number) for what, number in self._numbers().items()),
            missing=len(wanted.keys() - named.keys()),
            older_after_newer=_backwards(odoo),
            wrong_ends=wrong,
        )

    def _numbers(self) -> Counter[str]:
        """How many records of each kind there must be; lines of those that are there."""
        partners = [self.last[PARTNER, each] for each in range(1, self.others + 1)]
        orders = [self.last[ORDER, each] for each in range(1, self.others + 1)]
        return Counter(
            {
                CATEGORY: self.categories,
                PARTNER: self.others,
                PRODUCT: self.others,
                ORDER: self.others,
                "contacts": sum(len(each["child_ids"]) for each in partners),
                "lines": sum(len(each["order_line"]) for each in orders),
            }
        )

    def _counted(self, rpc: Rpc) -> Counter[str]:
        def count(model: str, field: str, like: str) -> int:
            domain = [[field, "=like", like]]
            return int(rpc(model, "search_count", domain, context=_ALL))

        source = self.source
        orders = rpc(
            ORDER, "search_count", [["partner_id.ref", "=like", f"{source}-P%"]], context=_ALL
        )
        return Counter(
            {
                CATEGORY: count(CATEGORY, "name", f"{source} %"),
                PARTNER: count(PARTNER, "ref", f"{source}-P%"),
                PRODUCT: count(PRODUCT, "default_code", f"{source}-D%"),
                ORDER: int(orders),
                "contacts": count(PARTNER, "ref", f"{source}-C%"),
                "lines": count("purchase.order.line", "name", f"{source} line %"),
            }
        )

    def _expected(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return what each record says last, by its name."""
        return {
            key("sale.order" if model == ORDER else model, number, "x")[2:]: (model, said)
            for (model, number), said in self.last.items()
        }

    def _end(
        self, rpc: Rpc, name: str, named: dict[str, tuple[str, int]]
    ) -> tuple[str, dict[str, Any]] | None:
        """Return a record as its message would say it."""
        if name not in named:
            return None
        model, number = named[name]
        said = self._expected()[name][1]
        row = rpc.one(model, number, *said)
        names = {each: key for key, each in named.items()}
        found: dict[str, Any] = {}
        for each, value in row.items():
            match each:
                case "id":
                    pass
                case "list_price":
                    found[each] = f"{value:.2f}"
                case "category_id":
                    known = {f"{self.source}.{names.get((CATEGORY, one))}" for one in value}
                    same = known == {one["key"] for one in said[each]}
                    found[each] = said[each] if same else value
                case "partner_id":
                    same = names.get((PARTNER, value[0])) == said[each]["key"].partition(".")[2]
                    found[each] = said[each] if same else value
                case "child_ids" | "order_line":
                    found[each] = self._lines(rpc, each, value, names, said[each])
                case _:
                    found[each] = value
        return model, found

    def _lines(
        self, rpc: Rpc, field: str, ids: list[int], names: dict[tuple[str, int], str], said: Any
    ) -> Any:
        """Return the lines as the message has them, in their order where they have one."""
        model = PARTNER if field == "child_ids" else "purchase.order.line"
        fields = ["name", "ref"] if field == "child_ids" else ["name", "product_qty", "price_unit"]
        rows = rpc(model, "read", ids, fields)
        by_key = {f"{self.source}.{names.get((model, row['id']))}": row for row in rows}
        if len(by_key) != len(said) or by_key.keys() != {line["key"] for line in said}:
            return rows
        same = all(
            str(by_key[line["key"]][name]) == str(_plain(line[name]))
            for line in said
            for name in fields
        )
        in_order = field == "child_ids" or list(by_key) == [line["key"] for line in said]
        return said if same and in_order else rows


def _plain(value: Any) -> Any:
    """Return a number as RPC shows it."""
    if isinstance(value, int):
        return float(value)
    try:
        return float(value)
    except ValueError:
        return value


def _backwards(odoo: Odoo) -> int:
    """Count the records that were given an older version after a newer one."""
    with psycopg.connect(odoo.dsn) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT record) FILTER (WHERE version < before)"
            ' FROM (SELECT record, version COLLATE "C" AS version, lag(version) OVER'
            " (PARTITION BY record ORDER BY id) AS before FROM audit) AS noted"
        ).fetchone()
    assert row is not None
    assert row[0], "nothing was noted"
    return int(row[1])
