"""Reads Postgres, publishes to Kafka, confirms."""

from __future__ import annotations
