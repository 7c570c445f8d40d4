"""What crm puts on the timeline of a contact; every file here makes its sources known."""
