"""Leads in the back office: what counts as one, who stands at which stage, and what is to be done."""

from crm.admin.leads import assigning, definitions, handovers, leads, tasks, versions

__all__ = ["assigning", "definitions", "handovers", "leads", "tasks", "versions"]
