"""What the core shows beside a person's facts on their page."""
