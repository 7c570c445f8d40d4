"""Messages that others join, while senders and those who move people on are killed: what somebody was shown
is what was written down as joined, and nobody gets both, or is forgotten.
"""

import random  # noqa: TID251 - moments of the kills, seeded and printed
import time
from datetime import timedelta

import pytest

from campaigns.flows import journeys
from campaigns.flows.kinds import Entrant
from campaigns.models import Decision, Delivery, Due, Enrolment, Joining, Template, TemplateVersion
from crm.kernel import clock
from crm.kernel.work import Budget
from tests.campaigns import mailing, shelves
from tests.campaigns.flows.stage import flow
from tests.chaos.senders import Senders, wait_until
from tests.chaos.test_killed_senders import settled
from tests.sink.faults import Fault
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone, pytest.mark.chaos]

WALKER = ("-m", "tests.chaos.walker")
PLACE = "{% for one in also.products %}[{{ one.name }}]{% endfor %}"
FAULTS = (
    Fault("rcpt", reply="450 4.7.1 later", percent=5),
    Fault("dot", reply="550 5.7.1 never", percent=2),
    Fault("dot", delay=0.05),
)


def template(name: str, words: str) -> Template:
    made = Template.objects.create(name=name)
    written = {"subject": "Hello", "mjml": words, "html": f"<p>{words}</p>", "text": words}
    made.current = TemplateVersion.objects.create(template=made, number=1, **written)
    made.save()
    return made


def test_five_hundred_joinings_and_twelve_kills(child_environment):
    people, seed = 500, 20265
    chance, now = random.Random(seed), clock.now()
    news = mailing.queue(
        people, template=template("News", PLACE), counts=True, not_before=now, created_at=now
    )
    amp = shelves.product("Amp")
    other = flow(
        trigger="campaigns.by_hand",
        trigger_params={},
        in_caps=True,
        when_beaten="join",
        exit_on_purchase=False,
        expires_after=timedelta(days=2),
        launched_at=now - timedelta(days=1),
    )
    other.current.steps.update(template=template("Back", "{{ product.name }}"))
    entrants = [Entrant(one.contact_id, "once", now, "product", amp.pk) for one in news]
    journeys.enter(other, entrants, now)
    journeys.advance(now, Budget(30))
    assert Joining.objects.count() == people

    with SmtpSink(*FAULTS, seed=seed) as sink, Senders(child_environment, sink) as fleet:
        fleet.start(2)
        fleet.start(1, WALKER)
        for share in range(1, 13):
            wait_until(lambda goal=people * share / 14: len(sink.copies()) >= goal, 120, f"{share} of 14")
            time.sleep(chance.uniform(0, 0.05))
            is_walker = share % 4 == 0
            fleet.kill(2 if is_walker else chance.randrange(2))
            fleet.start(1, WALKER) if is_walker else fleet.running.insert(0, _one_more(fleet))
        wait_until(settled, 120, "the rest")
        waiting = Joining.objects.filter(joined__isnull=False)
        wait_until(lambda: not waiting.exists(), 60, "those whom a message took in")

    recipients = {str(one.public_id): one.contact_id for one in news}
    showed = {recipients[one.delivery] for one in sink.accepted() if b"[Amp]" in (one.raw or b"")}
    in_doubt = set(Delivery.objects.filter(state="unknown").values_list("contact_id", flat=True))
    joined = list(Decision.objects.filter(verdict="joined").values_list("contact_id", flat=True))
    assert len(joined) == len(set(joined)), "told twice"
    assert showed - in_doubt == set(joined) - in_doubt
    own = set(Delivery.objects.filter(campaign=other).values_list("contact_id", flat=True))
    assert not own & showed, "said twice"
    left = set(Enrolment.objects.filter(campaign=other, state="active").values_list("contact_id", flat=True))
    assert left == set(Due.objects.filter(campaign=other).values_list("contact_id", flat=True))
    assert set(joined) | own | left == {one.contact_id for one in news}, "forgotten"
    print(f"\nJoining: seed {seed}, {len(joined)} joined, {len(own)} sent on their own, {len(left)} wait")


def _one_more(fleet: Senders):
    fleet.start()
    return fleet.running.pop()
