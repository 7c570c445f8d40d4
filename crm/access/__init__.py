"""What colleagues need beside permissions: a password typed just now; limits on what they take away."""
