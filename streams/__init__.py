"""Turns events into deliveries and deliveries into acknowledgements.

The way of one event, in file order:

    events.py      first: an event becomes deliveries in the send queues   (`routing` decides)
    forward.py     second: a delivery goes to WSO2, one of a chain at a time  (`chains` decides)
    drafts.py      in between, where Odoo alone knows a value: it is asked    (`filling` decides)
    responses.py   third: the target's word on it                          (`chains` decides)
    timer.py       last: what failed, what got no word, what waits for its turn

Beside it: `requests.py` takes what operators ask for, `retrying.py` does what `retry`
asks, `pausing.py` what `pause`, `resume` and `drain` do.

`core.py` is what these share. `chains` has the rules, `partitions` makes what they decided
durable: retries, ledger, dead letters; `sending` makes the calls. The edges: `kafka`, `wso2`,
`odoo`, `http` (acknowledgements and health), `cache` (LMDB). `worker` puts it all together under
Faust, `queries` reads the topics for people, who type `commands`. `flow` makes what WSO2 runs.
"""

from __future__ import annotations
