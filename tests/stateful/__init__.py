"""Whatever happens to capture, in any order: its events come to what the database holds."""
