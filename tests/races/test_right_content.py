"""S14: what is in a message belongs to the person whose address is on the envelope, down to every link."""

import re
from collections import Counter
from email import message_from_bytes, policy
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as configured

from campaigns.models import Delivery
from crm.kernel.tokens import Purpose as Token
from crm.models import Channel, ConsentState, Contact, Purpose, ShopSettings
from crm.people import links as people_links
from tests.campaigns import mailing
from tests.chaos.senders import Senders, wait_until
from tests.sink.smtp import SmtpSink
from tracking.mail import tokens
from tracking.models import Link

pytestmark = pytest.mark.django_db(transaction=True)

MARKED = re.compile(r"person(\d+)\b", re.IGNORECASE)
LINKS = re.compile(r'https?://[^\s"<>]+')


def track(who: list[Contact]) -> None:
    """They agreed to have opens and clicks counted."""
    hashes = Delivery.objects.filter(contact_id__in=[one.id for one in who]).values_list(
        "address_hash", flat=True
    )
    ConsentState.objects.bulk_create(
        ConsentState(
            address_hash=hashed,
            channel=Channel.EMAIL,
            purpose=purpose,
            may_send=True,
            status=ConsentState.Status.GRANTED,
            since=mailing.OPENED,
        )
        for purpose in Purpose.objects.filter(key__in=["open_tracking", "click_tracking"])
        for hashed in hashes
    )


def whose(url: str, targets: dict[int, str]) -> tuple[str, set]:
    """What kind of link it is, and the names of deliveries, people and carts it carries."""
    place, _, token = urlsplit(url).path.strip("/").partition("/")
    if url.startswith(configured.REKINDLE_PUBLIC_URL):
        kind = {"u": Token.UNSUBSCRIBE, "p": Token.PREFERENCES, "why": Token.WHY}[place]
        mailed = people_links.read(kind, token)
        return place, {mailed.public_id, mailed.address_hash}
    if url.startswith(configured.REKINDLE_COLLECT_URL):
        if place == "o":
            opened = tokens.read_open(token)
            return "open", {opened.ref, opened.contact_id}
        clicked = tokens.read_click(token)
        _, behind = whose(targets[clicked.link_id], targets)
        return "click", {clicked.ref, clicked.contact_id} | behind
    if "token" in (query := parse_qs(urlsplit(url).query)):
        restored = tokens.read_restore(query["token"][0])
        return "restore", {restored.cart_id, restored.contact_id, restored.ref}
    return "plain", {f"Person{number}" for number in MARKED.findall(url)}


@pytest.mark.parametrize(
    "recipients", [pytest.param(1_500, marks=pytest.mark.proof), pytest.param(5_000, marks=pytest.mark.chaos)]
)
def test_people_each_get_their_own_and_nothing_of_anybody_else(child_environment, recipients):
    ShopSettings.objects.update_or_create(
        id=1,
        defaults={
            "name": "Hearth",
            "url": "https://shop.test/",
            "cart_restore_url": "https://shop.test/cart",
        },
    )
    mailing.queue(recipients, with_carts=True)
    people = {one.email: one for one in Contact.objects.all()}
    track([one for number, one in enumerate(people.values()) if number % 2])
    with SmtpSink() as sink, Senders(child_environment, sink) as fleet:
        fleet.start(2)
        wait_until(lambda: len(sink.copies()) >= recipients, 120, "the sending")
        fleet.stop()
    rows = {one.contact_id: one for one in Delivery.objects.all()}
    targets = dict(Link.objects.values_list("id", "url"))
    kinds = Counter()
    for accepted in sink.accepted():
        person = people[accepted.recipient]
        row = rows[person.id]
        mail = message_from_bytes(accepted.raw, policy=policy.default)
        assert accepted.delivery == str(row.public_id) and person.first_name in mail["To"]
        parts = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
        whole = "\n".join([*map(str, mail.values()), *parts])
        assert set(MARKED.findall(whole)) == {person.first_name.removeprefix("Person")}
        theirs = {
            row.public_id,
            person.id,
            row.subject_id,
            bytes(row.address_hash),
            person.first_name,
        }
        for url in LINKS.findall(whole.replace("&amp;", "&")):
            kind, carried = whose(url.rstrip(">,"), targets)
            assert carried <= theirs, (kind, url)
            kinds[kind] += 1
    assert set(sink.copies().values()) == {1} and len(sink.copies()) == recipients
    assert kinds["open"] == recipients / 2
    assert {"u", "p", "why", "restore", "click", "plain"} <= set(kinds)
    print(f"\nS14: {recipients} messages, links by kind: {dict(kinds)}, strays: 0")
