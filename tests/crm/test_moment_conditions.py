"""What day and hour it is where each person lives."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, OwnField
from crm.people.identity import Known, resolve
from tests.crm.asking import asked, said, same, told, who
from tests.office import set_up_shop

# Half past eleven on a Sunday night in Lisbon, Monday morning in Tokyo, the afternoon in Los Angeles.
LATE = datetime(2026, 2, 22, 23, 30, tzinfo=UTC)
NOW = Scope(current=True)


@pytest.fixture
def people(db):
    set_up_shop(time_zone="Europe/Lisbon")
    zones = {"Ana": "Europe/Lisbon", "Kei": "Asia/Tokyo", "Lou": "America/Los_Angeles", "Nil": ""}
    resolve(
        [Known(email=f"{name}@x.example", first_name=name, time_zone=zone) for name, zone in zones.items()],
        LATE - timedelta(days=100),
        source="shop",
    )
    OwnField.objects.create(key="born", label="Birthday", type="date")


def born(day):
    Contact.objects.update(fields={"born": day})


def drifted(document, since, at):
    turned = rules.drift(document, since, at, NOW)
    seen = {row["pk"] for query in turned for row in query}
    return set(Contact.objects.filter(pk__in=seen).values_list("first_name", flat=True))


def test_birthday_today_is_the_day_where_they_live(people):
    born("1990-02-23")
    assert same("crm.birthday", at=LATE, field="born", days="0") == {"Kei"}
    assert same("crm.birthday", at=LATE, field="born", days="1") == {"Ana", "Kei", "Lou", "Nil"}
    assert same("crm.birthday", at=LATE + timedelta(hours=1), field="born", days="0") == {"Ana", "Kei", "Nil"}
    assert said("crm.birthday", field="born", days="0") == "have their yearly Birthday today"
    assert said("crm.birthday", field="born", days="7") == "have their yearly Birthday within the next 7 days"
    assert told("Ana", "crm.birthday", at=LATE, field="born", days="0") == "Birthday: 23 February 1990"


def test_a_birthday_over_the_turn_of_the_year_and_on_the_day_that_comes_every_four_years(people):
    born("1990-01-02")
    everybody = {"Ana", "Kei", "Lou", "Nil"}
    assert (
        same("crm.birthday", at=datetime(2026, 12, 30, 12, tzinfo=UTC), field="born", days="3") == everybody
    )
    assert same("crm.birthday", at=datetime(2026, 12, 30, 12, tzinfo=UTC), field="born", days="2") == set()
    born("1992-02-29")
    assert same("crm.birthday", at=datetime(2026, 2, 28, 12, tzinfo=UTC), field="born", days="0") == everybody
    assert same("crm.birthday", at=datetime(2028, 2, 28, 12, tzinfo=UTC), field="born", days="0") == set()
    assert same("crm.birthday", at=datetime(2028, 2, 29, 12, tzinfo=UTC), field="born", days="0") == everybody


def test_time_moves_only_those_whose_day_turned_and_whose_answer_did(people):
    born("1990-02-23")
    document = asked("crm.birthday", field="born", days="0")
    assert drifted(document, LATE - timedelta(minutes=10), LATE) == set()
    assert drifted(document, LATE, LATE + timedelta(hours=1)) == {"Ana", "Nil"}
    assert drifted(document, LATE - timedelta(days=1), LATE) == {"Kei"}
    Contact.objects.filter(first_name="Nil").update(fields={"born": "1990-07-01"})
    assert drifted(document, LATE, LATE + timedelta(hours=1)) == {"Ana"}
    last = asked("crm.own_date", field="born", how="last", days="3")
    born("2026-02-19")
    assert same("crm.own_date", at=LATE, field="born", how="last", days="3") == {"Ana", "Lou", "Nil"}
    assert drifted(last, LATE, LATE + timedelta(hours=1)) == {"Ana", "Nil"}


CLOCK = [
    ({"begins": "23:00", "ends": "23:45"}, {"Ana", "Nil"}, "have it between 23:00 and 23:45 where they live"),
    ({"begins": "22:00", "ends": "06:00"}, {"Ana", "Nil"}, None),
    ({"begins": "08:00", "ends": "18:00"}, {"Kei", "Lou"}, None),
    ({"weekdays": ["0"]}, {"Kei"}, "have it on Monday where they live"),
    ({"begins": "22:00", "ends": "09:00", "weekdays": ["6"]}, {"Ana", "Kei", "Nil"}, None),
    ({"begins": "08:30", "ends": "09:00", "weekdays": ["6", "0"]}, {"Kei"}, None),
]


def test_local_time_now(people):
    for params, expected, words in CLOCK:
        assert same("crm.local_time", at=LATE, **params) == expected, params
        if words:
            assert said("crm.local_time", **params) == words
    assert told("Lou", "crm.local_time", at=LATE, weekdays=["0"]) == "Sunday, 15:30 in America/Los_Angeles"
    assert told("Nil", "crm.local_time", at=LATE, weekdays=["0"]) == "Sunday, 23:30 in Europe/Lisbon"


def test_the_clock_moves_people_at_its_borders_alone(people):
    document = asked("crm.local_time", begins="08:00", ends="18:00")
    assert drifted(document, LATE - timedelta(minutes=29), LATE) == set()
    assert drifted(document, LATE - timedelta(minutes=31), LATE) == {"Kei"}
    assert drifted(document, LATE, LATE + timedelta(hours=9)) == {"Ana", "Nil", "Lou"}


def test_a_zone_that_does_not_exist_is_the_shops(people):
    Contact.objects.filter(first_name="Ana").update(time_zone="Atlantis/Capital")
    assert same("crm.local_time", at=LATE, begins="23:00", ends="23:45") == {"Ana", "Nil"}


@pytest.mark.parametrize(
    "params", [{}, {"begins": "08:00"}, {"begins": "08:00", "ends": "08:00"}, {"begins": "8h", "ends": "9h"}]
)
def test_a_clock_without_sense_is_broken(people, params):
    assert rules.problems(asked("crm.local_time", **params))
    assert who("crm.local_time", at=LATE, **params) == set()
