"""The step that two sorts of request share: the file of everything that is kept of a person."""

from __future__ import annotations

from datetime import timedelta

from crm.kernel.requests import Step

HOLDS = timedelta(days=14)

THE_FILE = Step(
    key="file",
    title="Make their data file",
    how="One ZIP with everything we keep of them: a page to read, and a JSON for machines. No copy of it"
    " stays here. After two weeks it is out of date, and is made anew.",
    noted="made their data file",
    button="Make their data file…",
    page="admin:crm_contact_data",
    permission="crm.handle_requests",
    holds=HOLDS,
)
