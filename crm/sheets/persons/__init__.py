"""People in spreadsheets, set-based: cells to what they say, whose a row is, and bringing it in or back."""
