"""What the rows of a spreadsheet can be for campaigns: one class in one file."""
