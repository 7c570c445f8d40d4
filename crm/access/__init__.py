"""What colleagues need beside permissions: a password typed just now; whom they see, and how."""
