"""Take the sample shop out again: its people, all they did and were sent, its catalogue, flow and settings.

Invented people whom the storefront met later (addresses at example.com and the like) go with them; whoever
has a real address stays.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from campaigns.flows.playbooks import ask_why, birthday, thank_vip
from campaigns.models import (
    Campaign,
    Coupon,
    Offer,
    RecommendationRun,
    Sender,
    Step,
    StepVariant,
    Survey,
    SurveyAnswer,
    Template,
)
from campaigns.surveys import asking
from config.sample import audience, desk, gifts, letters, plans
from config.sample.shop import FLOW_NAME, KEY_NAME, SENDER_EMAIL, products_of_ours
from config.sample.year import SOURCE
from crm.models import (
    Contact,
    ContactStatus,
    OwnField,
    Product,
    ServerKey,
    ShopRhythm,
    ShopSettings,
    StandingDay,
    StandingUpkeep,
    Status,
)
from tracking.visits import rollups

APPS = ("crm", "tracking", "campaigns")
CAMPAIGNS = [FLOW_NAME, letters.NEWS_NAME, letters.ASKED_NAME, *plans.NAMES]
INVENTED = r"@([a-z0-9-]+\.)*(example\.(com|org|net)|example|test|invalid|localhost)$"

_WHO_GOES = [
    """
    CREATE TEMPORARY TABLE gone_contacts ON COMMIT DROP AS
    SELECT contact.id FROM crm_contact AS contact
    LEFT JOIN crm_contactpoint AS point ON point.contact_id = contact.id AND point.channel = 'email'
    GROUP BY contact.id
    HAVING bool_or(contact.source = %(source)s) OR bool_and(point.address ~ %(invented)s)
    """,
    """
    CREATE TEMPORARY TABLE gone_addresses ON COMMIT DROP AS
    SELECT DISTINCT address_hash AS id FROM crm_contactpoint
    WHERE contact_id IN (SELECT id FROM gone_contacts)
    """,
    """
    CREATE TEMPORARY TABLE gone_visitors ON COMMIT DROP AS
    SELECT id FROM tracking_visitor WHERE contact_id IN (SELECT id FROM gone_contacts)
    """,
    """
    CREATE TEMPORARY TABLE gone_campaigns ON COMMIT DROP AS
    SELECT id FROM campaigns_campaign WHERE name = ANY(%(campaigns)s)
    """,
    "ANALYZE gone_contacts, gone_addresses, gone_visitors",
]
# Who sat at a browser of somebody who goes: what they did there goes, too.
_WHO_STAYS = """
    SELECT DISTINCT contact_id FROM tracking_event
    WHERE visitor_id IN (SELECT id FROM gone_visitors) AND contact_id NOT IN (SELECT id FROM gone_contacts)
"""
_BY_COLUMN = {
    "contact_id": "gone_contacts",
    "address_hash": "gone_addresses",
    "visitor_id": "gone_visitors",
    "campaign_id": "gone_campaigns",
}
"""Whatever table has one of these columns holds something of who or what goes."""


def remove() -> dict[str, int]:
    """Delete all of it in one transaction. Returns how many rows went, by what they are."""
    removed: dict[str, int] = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Consent events are append-only for the application's role; the owner undoes the sample.
            cursor.execute("SET LOCAL ROLE NONE")
            for statement in _WHO_GOES:
                cursor.execute(statement, {"source": SOURCE, "invented": INVENTED, "campaigns": CAMPAIGNS})
            cursor.execute(_WHO_STAYS)
            staying = [contact_id for (contact_id,) in cursor]
        # Foreign keys are checked when the transaction ends, so the tables may go in any order.
        for model, condition in _belonging():
            name = str(model._meta.verbose_name_plural)
            removed[name] = removed.get(name, 0) + _delete(model, condition)
        removed["contacts"] = _delete(Contact, _in("id", "gone_contacts"))
        rollups.recount(staying)
        removed["campaigns"] = Campaign.objects.filter(name__in=CAMPAIGNS).delete()[0]
        removed["offers, survey, status and field"] = _gifts() + _question() + _status() + _birthday()
        removed["sales desk"] = desk.forget()
        removed["segments and leads"] = audience.forget()
        removed["products"] = _close_shop()
        for measured in (ShopRhythm, StandingDay, StandingUpkeep, RecommendationRun):
            measured.objects.all().delete()  # With invented people; the next tick measures anew.
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE gone_contacts, gone_addresses, gone_visitors, gone_campaigns")
    return {name: count for name, count in removed.items() if count}


def _belonging() -> Iterator[tuple[type[models.Model], sql.Composable]]:
    """Every table with rows of those who go; first what hangs on such rows without naming them itself."""
    own = {model: _columns(model) for label in APPS for model in apps.get_app_config(label).get_models()}
    own.pop(Campaign)
    for model, columns in own.items():
        for relation in model._meta.related_objects:
            hanging = relation.related_model
            if columns and hanging in own and not own[hanging] and not relation.field.null:
                parents = sql.SQL("SELECT {} FROM {} WHERE {}").format(
                    sql.Identifier(str(model._meta.pk.column)),
                    sql.Identifier(model._meta.db_table),
                    _any(columns),
                )
                yield (
                    hanging,
                    sql.SQL("{} IN ({})").format(sql.Identifier(str(relation.field.column)), parents),
                )
    for model, columns in own.items():
        if columns:
            yield model, _any(columns)


def _columns(model: type[models.Model]) -> list[str]:
    return [field.column for field in model._meta.concrete_fields if field.column in _BY_COLUMN]


def _any(columns: list[str]) -> sql.Composable:
    return sql.SQL(" OR ").join(_in(column, _BY_COLUMN[column]) for column in columns)


def _in(column: str, table: str) -> sql.Composable:
    return sql.SQL("{} IN (SELECT id FROM {})").format(sql.Identifier(column), sql.Identifier(table))


def _delete(model: type[models.Model], condition: sql.Composable) -> int:
    statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(model._meta.db_table), condition)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


def _close_shop() -> int:
    """The catalogue, the shop's key and settings; the person who writes stays while a campaign needs them."""
    products = Product.objects.filter(pk__in=products_of_ours()).delete()[1].get("crm.Product", 0)
    ServerKey.objects.filter(name=KEY_NAME).delete()
    # Settings begin anew, but a storefront that is still open keeps its way in.
    fresh = {field.attname: field.get_default() for field in ShopSettings._meta.concrete_fields}
    del fresh["id"], fresh["ingest_key"]
    ShopSettings.objects.filter(is_sample=True).update(**fresh)
    for sender in Sender.objects.filter(email=SENDER_EMAIL):
        if not Campaign.objects.filter(sender=sender).exists():
            _unless_needed(sender)
    return products


def _gifts() -> int:
    """The offers and their codes; an offer stays while a campaign of somebody's own gives it."""
    gone = 0
    for offer in Offer.objects.filter(name__in=[gifts.SITE_NAME, gifts.OWN_NAME]):
        Coupon.objects.filter(offer=offer, state=Coupon.State.FREE).delete()
        gone += _unless_needed(offer)
    return gone


def _question() -> int:
    """The letters' messages, and the question, unless somebody asks it in a campaign of their own."""
    gone = 0
    ours = [letters.NEWS.name, ask_why.MESSAGE.name, *plans.NAMES]
    for template in Template.objects.filter(name__in=ours):
        if not _is_sent(template):
            gone += _unless_needed(template)
    for survey in Survey.objects.filter(slug=ask_why.SLUG):
        if not (asking.versions(survey).exists() or SurveyAnswer.objects.filter(survey=survey).exists()):
            gone += _unless_needed(survey)
    return gone


def _status() -> int:
    """VIP, unless somebody holds it or the play that thanks them is there."""
    if Campaign.objects.filter(playbook=thank_vip.ThankYouVip.key).exists():
        return 0
    held = ContactStatus.objects.values("status")
    return sum(
        _unless_needed(status) for status in Status.objects.filter(key=thank_vip.VIP).exclude(pk__in=held)
    )


def _birthday() -> int:
    """The field, unless somebody has a birthday in it or the play for that day is there."""
    if Campaign.objects.filter(playbook=birthday.Birthday.key).exists():
        return 0
    if Contact.objects.filter(fields__has_key=birthday.FIELD).exists():
        return 0
    return OwnField.objects.filter(key=birthday.FIELD).delete()[0]


def _is_sent(template: Template) -> bool:
    """Whether a step of a campaign sends it."""
    steps, variants = Step.objects.filter(template=template), StepVariant.objects.filter(template=template)
    return steps.exists() or variants.exists()


def _unless_needed(row: models.Model) -> int:
    try:
        with transaction.atomic():
            return row.delete()[0]
    except models.ProtectedError:
        return 0
