"""Lists that leave as files: what to take, how far it is, the file."""

from crm.admin.exports import admin

__all__ = ["admin"]
