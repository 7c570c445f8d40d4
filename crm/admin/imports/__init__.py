"""Spreadsheets that come in, in four steps on one page: drop, what we saw, dry run, running and done."""

from crm.admin.imports import admin

__all__ = ["admin"]
