"""How one of several colleagues is chosen for a lead: one way a file."""
