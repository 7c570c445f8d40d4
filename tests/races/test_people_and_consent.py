"""Two processes that learn of one person, or hear one address speak, at the same moment."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from crm.kernel import tokens
from crm.models import ConsentEvent, Contact, ContactPoint, Engagement, OutsideId, Purpose, Suppression
from crm.people import addresses, consent, permitted
from crm.people.consent import Said
from crm.people.identity import Known, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def at_once(number, work):
    """Run `work(n)` in so many threads that begin together; what they return, and raise what they raise."""
    begin, results, failures = threading.Barrier(number), [None] * number, []

    def run(place):
        try:
            begin.wait()
            results[place] = work(place)
        except Exception as failure:  # noqa: BLE001 - reported below, whatever it was
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


@pytest.mark.django_db(transaction=True)
def test_the_same_people_in_eight_processes_are_created_once():
    people = [Known(email=f"p{n}@example.com", external_id=f"c{n}", first_name="P") for n in range(40)]
    shuffled = [people[place * 5 :] + people[: place * 5] for place in range(8)]
    found = at_once(8, lambda place: resolve(shuffled[place], NOW, source="shop"))
    by_email = [
        {known.email: ours for known, ours in zip(shuffled[n], found[n], strict=True)} for n in range(8)
    ]
    assert all(one == by_email[0] for one in by_email)
    assert Contact.objects.count() == ContactPoint.objects.count() == OutsideId.objects.count() == 40
    assert Engagement.objects.count() == 40
    assert not Contact.objects.filter(email="").exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_know_different_halves_of_a_person_leave_no_copies_of_what_is_not_theirs():
    halves = [
        Known(email="ana@example.com", phone="+31612345678"),
        Known(phone="+31612345678", external_id="c1"),
    ]
    for _ in range(5):
        at_once(6, lambda place: resolve([halves[place % 2]], NOW, source="shop"))
        for contact in Contact.objects.all():
            addresses = set(contact.points.values_list("address", flat=True))
            assert {contact.email, contact.phone} - {""} <= addresses
            assert addresses or OutsideId.objects.filter(contact_id=contact.pk).exists()
        before = resolve(halves, NOW, source="shop")
        assert resolve(halves, NOW, source="shop") == before
        Contact.objects.all().delete()
        OutsideId.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_what_is_said_at_once_becomes_one_chain_an_address():
    hashes = [tokens.address_hash("email", f"p{n}@example.com")[0] for n in range(10)]

    def speak(place):
        order = hashes[place:] + hashes[:place]
        for turn in range(3):
            when = NOW + timedelta(minutes=turn)
            consent.record([Said(one, "email", "newsletter", "granted", when, "form") for one in order], when)

    at_once(6, speak)
    for one in hashes:
        assert consent.verify_chain(one) == []
    assert ConsentEvent.objects.count() == 10 * 6 * 3
    assert consent.rebuild_states(repair=False) == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_one_click_posts_at_the_same_instant_are_one_withdrawal():
    ana = tokens.address_hash("email", "ana@example.com")[0]
    news = at_once(
        20, lambda place: consent.withdraw(ana, "email", "newsletter", NOW, source_kind="unsubscribe")
    )
    assert sum(news) == ConsentEvent.objects.count() == Suppression.objects.count() == 1


ANA = tokens.address_hash("email", "ana@example.com")[0]


def meanwhile(first, second):
    """`second` as a whole, in a process of its own, after `first` has done its work and before it commits."""
    done = threading.Event()

    def run():
        try:
            second()
        finally:
            connection.close()
            done.set()

    with transaction.atomic():
        first()
        other = threading.Thread(target=run)
        other.start()
        # Neither has to wait for the other.
        assert done.wait(60)
    other.join()


def meet_ana():
    resolve([Known(email="ana@example.com")], NOW, source="shop")


def move_boris():
    boris = Contact.objects.get(email="boris@example.com")
    addresses.set_primary(boris, "email", "ana@example.com", NOW)


def say(action):
    consent.record([Said(ANA, "email", "newsletter", action, NOW, "form", "ana@example.com")], NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("give", "action", "word_is_last"),
    [
        (meet_ana, "granted", True),
        (meet_ana, "withdrawn", False),
        (move_boris, "granted", False),
        (move_boris, "withdrawn", True),
    ],
)
def test_a_word_on_an_address_that_is_given_to_somebody_just_then_counts_for_them(give, action, word_is_last):
    resolve([Known(email="boris@example.com")], NOW, source="shop")
    if action == "withdrawn":
        say("granted")
    both = [give, lambda: say(action)]
    meanwhile(*(reversed(both) if word_is_last else both))
    kept = Engagement.objects.get(contact__points__address="ana@example.com").may_receive
    newsletter = permitted.name_of("email", Purpose.objects.get(key="newsletter").pk)
    assert kept == ([newsletter] if action == "granted" else [])
    assert permitted.mend() == 0
