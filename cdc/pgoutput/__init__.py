"""The protocol, pure: bytes in, frozen messages out.

Protocol pages: "Streaming Replication Protocol" and "Logical Replication Message Formats". Rows
(`I`, `U`, `D`) are cut by the engine; everything else is decoded here.
"""

from __future__ import annotations
