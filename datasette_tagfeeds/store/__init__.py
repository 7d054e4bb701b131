"""What the databases answer: `databases` awaits them, `asking` does so for a request, `questions` puts together what they say."""

from __future__ import annotations

from datetime import datetime, timezone

from ..dates import utc_text
from .databases import explained, fingerprint, indexing, schemas, tables_read, within
from .questions import Store

__all__ = ["Store", "explained", "fingerprint", "indexing", "now", "schemas", "tables_read", "within"]


def now() -> str:
    """The present, as UTC text: the one place that asks which scheduled items are due."""
    return utc_text(datetime.now(timezone.utc))
