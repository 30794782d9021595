"""What it costs: `python -m tests.benchmarks`. Figures beside budgets, never asserted."""
