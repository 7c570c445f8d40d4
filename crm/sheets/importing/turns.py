"""Who may work on an import: whoever holds its row, and finds it where they left it."""

from __future__ import annotations

from crm.models import Import


def held(run: Import) -> bool:
    """Hold the import until this transaction ends. False where somebody stopped it, or another worker is
    further than this one: then there is nothing to do here.
    """
    there = (
        Import.objects.select_for_update(no_key=True)
        .filter(pk=run.pk)
        .values_list("status", "cursor", "began_at")
        .first()
    )
    return there == (run.status, run.cursor, run.began_at)
