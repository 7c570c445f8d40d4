"""Which column is what."""

from __future__ import annotations

import pytest

from crm.sheets.exports import exports
from crm.sheets.matching import Target, match, recognise_export
from crm.sheets.reading import Look

PEOPLE = [
    Target("email", "E-mail address", "email"),
    Target("phone", "Telephone number", "phone"),
    Target("external_id", "Their number elsewhere"),
    Target("first_name", "First name"),
    Target("last_name", "Last name"),
    Target("full_name", "First and last name in one"),
    Target("country", "Country"),
    Target("consent", "Agreed to e-mail", "yes_no"),
]


def look(*headings, rows=()):
    return Look("csv", headings=headings, samples=tuple(rows))


def matched(seen, targets=PEOPLE, remembered=None):
    return {one.heading: one.target for one in match(seen, targets, remembered or {}) if one.target}


@pytest.mark.parametrize(
    ("email", "first", "last", "phone", "country"),
    [
        ("Email Address", "First Name", "Surname", "Mobile No.", "Country"),
        ("E-Mail-Adresse", "Vorname", "Nachname", "Handynummer", "Land"),
        ("Adresse électronique", "Prénom", "Nom de famille", "N° de téléphone", "Pays"),
        ("Correo electrónico", "Nombre de pila", "Apellidos", "Teléfono móvil", "País"),
        ("E-mailadres", "Voornaam", "Achternaam", "Telefoonnummer", "Landcode"),
        ("emailAddress", "firstName", "lastName", "phoneNumber", "countryCode"),
        ("EMAIL (privat)", "Kontakt: Vorname", "Customer last name", "Phone *", "Billing country"),
    ],
)
def test_columns_are_known_in_five_languages_however_they_are_written(email, first, last, phone, country):
    assert matched(look(email, first, last, phone, country)) == {
        email: "email",
        first: "first_name",
        last: "last_name",
        phone: "phone",
        country: "country",
    }


def test_a_match_says_why_and_shows_three_values():
    rows = [("Ann", ""), ("", "1"), ("Bob", "2"), ("Cy", "3"), ("Di", "4")]
    first, other = match(look("first_name", "Shoe", rows=rows), PEOPLE, {})

    assert (first.column, first.heading, first.target, first.why) == (0, "first_name", "first_name", "name")
    assert first.sample == ("Ann", "Bob", "Cy")
    assert (other.target, other.why, other.sample) == ("", "", ("1", "2", "3"))


def test_what_people_said_last_time_comes_first():
    seen = look("Email", "Email privat", "Nom")

    assert matched(seen, remembered={"email privat": "email", "Nom": ""}) == {"Email privat": "email"}
    assert [one.why for one in match(seen, PEOPLE, {"Nom": ""})] == ["name", "", "remembered"]


def test_what_was_remembered_of_a_field_that_is_gone_is_forgotten():
    assert matched(look("Email"), remembered={"Email": "own:shoe_size"}) == {"Email": "email"}


def test_no_target_is_given_twice_and_the_more_telling_heading_wins():
    assert matched(look("Contact", "Full name", "WhatsApp number", "Phone")) == {
        "Full name": "full_name",
        "Phone": "phone",
    }


def test_an_address_is_known_by_its_looks_under_any_heading():
    rows = [("أحمد", "a@x.ae", "+971 50 123 4567"), ("علي", "b@x.ae", "+971 55 987 6543")]

    assert matched(look("الاسم", "البريد", "الهاتف", rows=rows)) == {"البريد": "email", "الهاتف": "phone"}


def test_a_column_called_email_without_one_address_is_none():
    rows = [("fcb67ef339b6", "a@x.de"), ("6528bb7211b1", "b@x.de"), ("29f41f173363", "c@x.de")]

    assert matched(look("Email", "Login", rows=rows)) == {"Login": "email"}


def test_dates_and_numbers_are_not_taken_for_telephones():
    rows = [("01.02.2024", "00012345678", "2024-01-02"), ("03.04.2025", "00012345679", "2025-03-04")]

    assert matched(look("Seen", "Voucher", "When", rows=rows)) == {}


def test_synonyms_of_a_target_come_on_top_of_what_is_known():
    shoe = Target("own:shoe", "Shoe size", "number", ("Schuhgröße",))

    assert matched(look("SCHUHGROESSE", "Schuhgröße"), [shoe]) == {"Schuhgröße": "own:shoe"}


def test_a_column_of_sentences_is_no_column_of_tags_whatever_it_is_called():
    tags = Target("tags", "Tags", "tags")
    words = [("vip, new",), ("Likes red wine; vip",), ("new",), ("wholesale customer",)]
    notes = [("Will revert after reading the email",), ("Ringing",), ("Not doing any further education",)]

    assert matched(look("Tags", rows=words), [tags]) == {"Tags": "tags"}
    assert matched(look("Tags", rows=notes), [tags]) == {}


HEADINGS = {
    "crm.shopify_customers": "Customer ID|First Name|Last Name|Email|Accepts Email Marketing|Phone|Tags",
    "crm.shopify_orders": "Name|Email|Financial Status|Total|Lineitem quantity|Lineitem name|Id",
    "crm.shopify_products": "Handle|Title|Body (HTML)|Vendor|Variant SKU|Variant Price|Status",
    "crm.mailchimp": "Email Address|First Name|Last Name|MEMBER_RATING|OPTIN_TIME|CC|LEID|EUID|NOTES",
    "crm.hubspot": "Record ID|First Name|Last Name|Email|Phone Number|Lead Status|Lifecycle Stage",
    "crm.salesforce": "Id|IsDeleted|LastName|FirstName|Email|Phone|LeadSource|OwnerId|SystemModstamp",
    "crm.klaviyo": "Email|Klaviyo ID|First Name|Last Name|Phone Number|Email Marketing Consent",
    "crm.woocommerce_customers": "Name|Username|Last Active|Sign Up|Email|Orders|Total Spend|AOV|City",
    "crm.woocommerce_products": "ID|Type|SKU|Name|Visibility in catalog|Sale price|Regular price",
    "crm.mautic": "id|points|firstname|lastname|email|phone|address1|zipcode|country",
}


def test_every_export_is_known_by_its_headings_and_no_other():
    assert {export.key for export in exports} == HEADINGS.keys()
    for key, headings in HEADINGS.items():
        found = recognise_export(look(*headings.split("|")))
        assert found is not None and found.key == key


def test_no_export_is_seen_where_there_is_none():
    assert recognise_export(look("Name", "Email", "Phone")) is None


def test_an_export_knows_its_columns_and_leaves_out_what_nobody_needs():
    found = match(look(*HEADINGS["crm.mailchimp"].split("|")), PEOPLE, {})

    assert [(one.target, one.why) for one in found[:4]] == [
        ("email", "export"),
        ("first_name", "export"),
        ("last_name", "export"),
        ("", "export"),
    ]


def test_people_taken_out_of_orders_are_not_called_by_the_orders_name_and_number():
    assert matched(look(*HEADINGS["crm.shopify_orders"].split("|"))) == {"Email": "email"}


def test_who_is_subscribed_is_known_by_the_words_that_stand_there():
    agreed = [("a@x.de", "subscribed", "paid"), ("b@x.de", "unsubscribed", "pending"), ("c@x.de", "", "paid")]

    assert matched(look("Email", "Member", "Order", rows=agreed)) == {"Email": "email", "Member": "consent"}
