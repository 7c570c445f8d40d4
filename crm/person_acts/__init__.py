"""What a colleague can do about a person from their page: one act a file."""
