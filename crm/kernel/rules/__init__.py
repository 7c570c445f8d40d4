"""Rules: trees of conditions that say who is meant, as of any instant, in SQL, in words, and with reasons."""

from crm.kernel.rules.compiling import compile, drift, nobody, problems
from crm.kernel.rules.condition import ENTERED_AT, SUBJECT, Condition, Scope, conditions
from crm.kernel.rules.explaining import Explanation, Verdict, explain
from crm.kernel.rules.field import RuleField
from crm.kernel.rules.form import RuleFormField
from crm.kernel.rules.narrowing import AnyOf
from crm.kernel.rules.sentences import clause, sentence
from crm.kernel.rules.tree import ALL, ANY, NONE, Group, Leaf, Malformed, Problem, is_blank, parse

__all__ = [
    "ALL",
    "ANY",
    "ENTERED_AT",
    "NONE",
    "SUBJECT",
    "AnyOf",
    "Condition",
    "Explanation",
    "Group",
    "Leaf",
    "Malformed",
    "Problem",
    "RuleField",
    "RuleFormField",
    "Scope",
    "Verdict",
    "clause",
    "compile",
    "conditions",
    "drift",
    "explain",
    "is_blank",
    "nobody",
    "parse",
    "problems",
    "sentence",
]
