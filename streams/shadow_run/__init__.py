"""What `shadow-run` does: deliveries as lines that go nowhere, and their comparison with others.

`run` takes events through the routes, `lines` are what it makes of them, `output` is where they
go. `sameness` says when two values are the same, `states` reads what records look like in lines,
`comparison` holds two files of lines against each other.
"""

from __future__ import annotations
