"""Leads in the back office: what counts as one, who stands at which stage, and what is to be done."""

from crm.admin.leads import definitions, leads, tasks, versions

__all__ = ["definitions", "leads", "tasks", "versions"]
