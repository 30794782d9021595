"""What a worker serves over HTTP: `intake` takes acknowledgements, `health` says how it is."""

from __future__ import annotations
