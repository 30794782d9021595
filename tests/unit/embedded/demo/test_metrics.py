"""What the demo reads of programs' metrics."""

from __future__ import annotations

from embedded.demo.metrics import Lasting, sums

TEXT = """
# HELP odoo_cdc_stream_waiting deliveries that are not final
odoo_cdc_stream_waiting{target="a",state="sent"} 2
odoo_cdc_stream_waiting{target="a",state="waiting"} 4
odoo_cdc_stream_waiting{target="b",state="sent"} 3
odoo_cdc_stream_gate_open 1
odoo_cdc_target_answers_total{answer="delivered"} 5
another_program 7
"""


def test_metrics_are_summed_over_all_labels_but_the_first() -> None:
    assert sums(TEXT) == {
        ("waiting", "a"): 6.0,
        ("waiting", "b"): 3.0,
        ("gate_open", ""): 1.0,
        ("answers_total", "delivered"): 5.0,
    }


def test_counters_go_on_over_the_lives_of_a_program() -> None:
    counted = Lasting()
    counted.note(11, {("retries_total", "a"): 60.0})
    counted.note(11, {("retries_total", "a"): 63.0, ("retries_total", "b"): 1.0})
    counted.note(0, {})  # it is away
    counted.note(12, {("dead_total", "a"): 2.0})
    counted.note(13, {("retries_total", "a"): 7.0})

    assert counted.total("retries_total", "a") == 70
    assert counted.total("retries_total", "b") == 1
    assert counted.total("dead_total", "a") == 2
    assert counted.total("dead_total") == 0
