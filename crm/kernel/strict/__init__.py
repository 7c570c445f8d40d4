"""The one door for JSON from strangers: strict, typed by field, each refusal with a reason to count."""

from crm.kernel.strict.fields import (
    Choice,
    Decimals,
    Field,
    Flag,
    Identifier,
    Instant,
    Many,
    Properties,
    Schema,
    Text,
    Url,
    Whole,
)
from crm.kernel.strict.parsing import Parsed, Reason, Refused, cleaned, loads

__all__ = [
    "Choice",
    "Decimals",
    "Field",
    "Flag",
    "Identifier",
    "Instant",
    "Many",
    "Parsed",
    "Properties",
    "Reason",
    "Refused",
    "Schema",
    "Text",
    "Url",
    "Whole",
    "cleaned",
    "loads",
]
