"""The reader of recorded workloads."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.workload import Transaction, load

TEXT = b"""-- a workload
set timezone='UTC';
-- op 0 login (2026-11-23 14:48:49.509)
BEGIN;
SELECT setval('public.a_id_seq',2,false) \\g /dev/null
INSERT INTO a VALUES (2, 'one;
two -- op 7 \\');
COMMIT;
-- op 12 partner.create (2026-11-23 14:48:50.057)
BEGIN;
DELETE FROM a;
COMMIT;
"""


def test_a_workload_is_cut_at_its_transactions(tmp_path: Path) -> None:
    file = tmp_path / "workload.sql"
    file.write_bytes(TEXT)

    first, second = load(file)

    assert first.sql.startswith(b"BEGIN;\nSELECT setval('public.a_id_seq',2,false);\nINSERT")
    assert first.sql.endswith(b"two -- op 7 \\');\nCOMMIT;")
    assert (first.number, first.name) == (0, "login")
    assert second == Transaction(12, "partner.create", b"BEGIN;\nDELETE FROM a;\nCOMMIT;")


def test_a_compressed_workload_is_the_same(tmp_path: Path) -> None:
    plain, packed = tmp_path / "workload.sql", tmp_path / "workload.sql.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))

    assert load(packed) == load(plain)
