"""The rules of chains: what each answer, word and deadline makes of a delivery. Pure.

`outcome` is what became of an attempt and `retry` what follows it; `item` is a delivery on its
way, `ledger` and `dead_letter` are what is written of it; `acknowledgements` weighs words, and
`rules` lets one delivery of a chain go at a time, in commit order: it returns `changes`. `pause`
and `by_hand` are what operators ask for.
"""

from __future__ import annotations
