"""What is no person in spreadsheets: cells to what they say, rows to things, and bringing them in or back."""
