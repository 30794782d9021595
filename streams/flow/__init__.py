"""The flow that WSO2 runs, made from sync.yaml: `artifacts`, and in one file `capp`.

`endpoints` is where it sends, `authorization` and `profiles` as whom, `vault` the secrets for it.
"""

from __future__ import annotations
