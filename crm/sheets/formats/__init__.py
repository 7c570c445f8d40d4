"""What is known of each format of spreadsheet. Runs in the process that reads, which knows no Django.

`crm.sheets.reading` is the way in; nothing else imports from here.
"""

MOST_COLUMNS = 1000
MOST_SAMPLES = 20
LONGEST = 1_000_000
"""So many letters a line, and a row of several lines, may have."""


class Unreadable(ValueError):
    """The file as a whole cannot be used; says why, and what to do."""
