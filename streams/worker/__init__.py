"""The process: Faust, disarmed; the only room that imports it.

`serve` is its life, `app` puts it together, `production` opens its edges. `at_least_once` gives
batches to the steps, `consumer` and `handover` bring records there, `traffic` halts and resumes
topics, `broker` tells Faust of Kafka; `exits` and `watchdog` end it when it must not go on,
`quiet` keeps its libraries' logs short.
"""

from __future__ import annotations
