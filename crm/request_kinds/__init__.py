"""What people ask of us about their data: one sort of request a file."""
