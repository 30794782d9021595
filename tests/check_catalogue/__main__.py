"""`python -m tests.check_catalogue` writes docs/checks.md anew."""

from __future__ import annotations

from tests.check_catalogue.page import FILE, page

if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
