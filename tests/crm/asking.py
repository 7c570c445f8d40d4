"""Short ways to ask one condition of everybody, and of one person why."""

from datetime import UTC, datetime, timedelta

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)


def asked(kind, **params):
    return {"all": [{"kind": kind, "params": params}]}


def who(kind, at=NOW, scope=None, **params):
    """First names of those of whom it is true."""
    meant = Contact.objects.filter(rules.compile(asked(kind, **params), at, scope))
    return set(meant.values_list("first_name", flat=True))


def same(kind, at=NOW, **params):
    """Whom it means now; asked of history and of a few people alone it means the same."""
    found = who(kind, at, Scope(current=True), **params)
    assert found == who(kind, at, **params), "history says otherwise"
    everybody = list(Contact.objects.values_list("pk", flat=True))
    few = Scope(current=True, among=everybody[:2])
    meant = Contact.objects.filter(rules.compile(asked(kind, **params), at, few), pk__in=everybody[:2])
    named = Contact.objects.filter(pk__in=everybody[:2]).values_list("first_name", flat=True)
    assert set(meant.values_list("first_name", flat=True)) == found & set(named)
    return found


def said(kind, **params):
    """The condition in words, without its frame."""
    return rules.sentence(asked(kind, **params)).removeprefix("People who ").removesuffix(".")


def told(name, kind, at=NOW, **params):
    """The evidence of one person, which is the same from history and from what is kept up."""
    person = Contact.objects.filter(first_name=name)
    document = asked(kind, **params)
    words = {
        rules.explain(person, document, at, Scope(current=current)).root.leaves()[0].evidence
        for current in (True, False)
    }
    assert len(words) == 1, words
    return words.pop()
