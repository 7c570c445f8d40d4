"""Leads: what one is for this shop, who is one, with which score, at which stage, and who is told."""
