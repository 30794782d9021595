from __future__ import annotations

import re

from cdc.metrics import Figures, text

LINE = re.compile(r"odoo_cdc_capture_[a-z_]+ -?[0-9]+(\.[0-9]+)?")


def test_every_figure_has_help_type_and_one_value() -> None:
    lines = text(Figures(events_total=3, lag_seconds=0.25, connected=1)).splitlines()

    assert len(lines) % 3 == 0
    for about, kind, value in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name = value.split(" ")[0]
        assert about.startswith(f"# HELP {name} ")
        assert kind in {f"# TYPE {name} counter", f"# TYPE {name} gauge"}
        assert LINE.fullmatch(value)
        assert kind.endswith("counter") == name.endswith("_total")


def test_what_is_not_known_is_left_out() -> None:
    assert "wal_held_bytes" not in text(Figures())
    assert "odoo_cdc_capture_wal_held_bytes 7\n" in text(Figures(wal_held_bytes=7))


def test_an_lsn_keeps_all_its_digits() -> None:
    lsn = (1 << 63) + 1

    assert f"odoo_cdc_capture_durable_lsn {lsn}\n" in text(Figures(durable_lsn=lsn))
