"""What comes in by spreadsheet for campaigns."""
