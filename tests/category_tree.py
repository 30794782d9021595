"""Products in a tree of categories, which moves as it does in Odoo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tests.fix_services import Database

TREE: Final = {"Sold": "", "Offices": "Sold", "Chairs": "Sold", "Stools": "Chairs"}
TREE |= {"Bars": "Stools", "Stock": ""}
MOVED: Final = {"Chairs", "Stools", "Bars"}  # when Chairs does
EACH: Final = 2  # products of each category
_MOVE: Final = """
    WITH below AS (
        SELECT c.id, n.parent_path
            || substr(c.parent_path, length(t.parent_path) - length(t.id || '/') + 1) AS place
        FROM product_category t
        JOIN product_category c ON c.parent_path LIKE t.parent_path || '%%'
        JOIN product_category n ON n.id = %(under)s
        WHERE t.id = %(moved)s
    )
    UPDATE product_category c SET parent_path = below.place FROM below WHERE c.id = below.id
"""
_RENAME: Final = """
    WITH RECURSIVE named AS (
        SELECT id, name AS complete FROM product_category WHERE parent_id IS NULL
        UNION ALL
        SELECT c.id, named.complete || ' / ' || c.name
        FROM product_category c JOIN named ON c.parent_id = named.id
    )
    UPDATE product_category c SET complete_name = named.complete FROM named
    WHERE c.id = named.id AND c.complete_name IS DISTINCT FROM named.complete
"""
_WITHIN: Final = """
    SELECT t.id FROM product_template t JOIN product_category c ON c.id = t.categ_id
    WHERE c.parent_path LIKE (SELECT parent_path || '%%' FROM product_category WHERE id = %s)
"""
ORDERS: Final = f"""
    SELECT DISTINCT l.order_id FROM sale_order_line l
    JOIN product_product p ON p.id = l.product_id WHERE p.product_tmpl_id IN ({_WITHIN})
"""  # noqa: S608  it is the text above


@dataclass
class Shop:
    """A database with a tree of categories, EACH products in every one of them."""

    database: Database
    categories: dict[str, int] = field(default_factory=dict)
    products: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.connect() as connection:
            ids = connection.execute("SELECT id FROM product_template ORDER BY id").fetchall()
            free = iter(ids)
            for name, parent in TREE.items():
                number = self._category(connection, name, self.categories.get(parent))
                self.categories[name] = number
                self.products[name] = {next(free)[0] for _ in range(EACH)}
                for product in self.products[name]:
                    put(connection, product, number)
                    connection.execute(
                        "UPDATE product_template SET default_code = 'TREE-' || id WHERE id = %s",
                        (product,),
                    )
            connection.execute(_RENAME)

    def connect(self) -> psycopg.Connection[Any]:
        """Begin a transaction that the end of the block commits."""
        return psycopg.connect(self.database.dsn)

    def move(self, connection: psycopg.Connection[Any], name: str, under: str) -> None:
        """Move a category as Odoo does: its parent, then the paths and names of all below."""
        keys = {"moved": self.categories[name], "under": self.categories[under]}
        connection.execute(
            "UPDATE product_category SET parent_id = %(under)s WHERE id = %(moved)s", keys
        )
        connection.execute(_MOVE, keys)
        connection.execute(_RENAME)

    def sold(self, query: str = _WITHIN) -> set[int]:
        """Return what is below Sold, as Odoo asks for it."""
        with self.connect() as connection:
            return {r[0] for r in connection.execute(query.encode(), (self.categories["Sold"],))}

    def shows(self, product: int) -> dict[str, Any]:
        """Return what the route `shown` sends of a product."""
        with self.connect() as connection:
            row = connection.execute(
                "SELECT t.name->>'en_US', t.default_code, c.complete_name FROM product_template t"
                " JOIN product_category c ON c.id = t.categ_id WHERE t.id = %s",
                (product,),
            ).fetchone()
        assert row is not None
        return dict(zip(("name", "default_code", "categ_id.complete_name"), row, strict=True))

    def of(self, *names: str) -> set[int]:
        """Return the products that were put into categories."""
        return {product for name in names for product in self.products[name]}

    def _category(self, connection: psycopg.Connection[Any], name: str, parent: int | None) -> int:
        row = connection.execute(
            "INSERT INTO product_category (name, parent_id) VALUES (%s, %s) RETURNING id",
            (name, parent),
        ).fetchone()
        assert row is not None
        connection.execute(
            "UPDATE product_category c SET parent_path = concat((SELECT parent_path"
            " FROM product_category WHERE id = c.parent_id), c.id, '/') WHERE id = %s",
            row,
        )
        return int(row[0])


def put(connection: psycopg.Connection[Any], product: int, category: int) -> None:
    """Give a product another category."""
    connection.execute(
        "UPDATE product_template SET categ_id = %s WHERE id = %s", (category, product)
    )
