"""docs/checks.md, every row of it said by the code: `python -m tests.check_catalogue` writes it.

`of_*` are the cases, `rows` runs them, `page` lays them out; `source` finds every place in the
code that makes a finding, so that a test can tell of one that has no case.
"""
