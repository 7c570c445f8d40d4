"""People and conditions for the tests of rules: Django's users stand for contacts, unknown to the kernel."""

from datetime import UTC, datetime, timedelta

from django import forms
from django.contrib.auth.models import Group, User
from django.db.models import Count, Exists, F, OuterRef, Q, Value
from django.db.models.lookups import GreaterThanOrEqual

from crm.kernel.rules import ENTERED_AT, Condition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Named(Condition):
    """The first name is this."""

    key = "test.named"
    label = "First name"
    exact_in_past = False

    class Params(forms.Form):
        name = forms.CharField(max_length=30)

    def q(self, params, at, scope):
        return Q(first_name=params["name"])

    def sentence(self, params):
        return f"are called {params['name']}"

    def evidence(self, params, at, scope):
        return F("first_name")

    def tell(self, params, value):
        return f"is called {value}"


class SeenWithin(Condition):
    """Logged in within so many days before the instant asked about. Never seen is NULL in the database."""

    key = "test.seen_within"
    label = "Seen within"
    group = "Visits"

    class Params(forms.Form):
        days = forms.IntegerField(min_value=0, initial=7)

    def q(self, params, at, scope):
        # A bare comparison, so that SQL answers NULL for whoever was never seen.
        return Q(GreaterThanOrEqual(F("last_login"), Value(at - timedelta(days=params["days"]))))

    def sentence(self, params):
        return f"were seen in the last {params['days']} days"


class InTeam(Condition):
    """Belongs to the team with this key."""

    key = "test.in_team"
    label = "In team"

    class Params(forms.Form):
        team = forms.ModelChoiceField(queryset=Group.objects.all())

    def q(self, params, at, scope):
        return Q(Exists(User.groups.through.objects.filter(user_id=OuterRef("pk"), group=params["team"])))

    def sentence(self, params):
        return f"belong to {params['team'].name}"

    def evidence(self, params, at, scope):
        return Count("groups")

    def tell(self, params, value):
        return f"belongs to {value} teams"


class SeenSinceEntering(Condition):
    """Seen since the person entered the campaign."""

    key = "test.seen_since_entering"
    label = "Seen since entering"
    needs = frozenset({ENTERED_AT})

    def q(self, params, at, scope):
        seen = User.objects.filter(
            pk=OuterRef("pk"), last_login__gt=scope.inside.entered_at, last_login__lte=at
        )
        return Q(Exists(seen))

    def sentence(self, params):
        return "were seen since they entered"


class Everybody(Condition):
    """Wrongly says nothing at all."""

    key = "test.everybody"
    label = "Everybody"

    def q(self, params, at, scope):
        return Q(Q())

    def sentence(self, params):
        return "exist"


KINDS = [Named, SeenWithin, InTeam, SeenSinceEntering, Everybody]


def named(name):
    return {"kind": "test.named", "params": {"name": name}}


def seen(days):
    return {"kind": "test.seen_within", "params": {"days": str(days)}}


def in_team(team):
    return {"kind": "test.in_team", "params": {"team": str(team.pk)}}
