"""What a colleague can do about one person that sends or stops messages: one act a file."""
