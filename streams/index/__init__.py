"""What the topics say of every delivery, in a file: found again at once, however many there are.

The commands that look (`status`, `queue`, `trace`) read what Kafka has gained since the last one
looked. It is a copy: it may be deleted at any time, and is made anew where it does not fit.
`row` is what is found, `merged` how a delivery's records become one row, `store` keeps them,
`opening` finds the file, or another place where it cannot be used.
"""

from __future__ import annotations
