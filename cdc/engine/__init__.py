"""The hot path: bytes in, bytes out, driven by a plan that is made once (`compile`).

In the order of a row: a message of pgoutput is cut into cells (`split`), the cells become the
row as the shadow holds it (`row`, under `keys`), the changes of a transaction are made and
remembered (`fold`), each changed row leads to the documents that show it (`reach`, `touched`),
every document is taken as it was and as it is (`view`, `encode`; what no change led to is kept,
`records`), and what differs becomes an event (`events`, `datum`). Nothing here knows a database,
a store or a broker.
"""

from __future__ import annotations
