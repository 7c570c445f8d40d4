"""Spreadsheets of others, as they come: what is recognised in each, and that every line is accounted for."""

from __future__ import annotations

import csv

import pytest

from crm.sheets.formats import Unreadable
from crm.sheets.matching import match, recognise_export
from tests.crm.sheets.reading_here import read, seen
from tests.crm.sheets.test_matching import PEOPLE
from tests.shared import shared

# Format, encoding, row of headings, columns, rows, refused rows, known export, columns known of people; or
# why the file is refused.
SEEN = {
    "contacts": {
        "chatwoot_contacts.csv": ("csv", "utf-8", 1, 7, 25, 0, "", "external_id first_name last_name email"),
        "dittofeed_missing-email-users.csv": (
            "csv",
            "utf-8",
            1,
            3,
            5,
            0,
            "",
            "external_id first_name last_name",
        ),
        "dittofeed_missing-headers-users.csv": ("csv", "utf-8", 0, 4, 5, 0, "", "email"),
        "dittofeed_users.csv": (
            "csv",
            "utf-8",
            1,
            5,
            5,
            0,
            "",
            "external_id email first_name last_name phone",
        ),
        "hubspot_contacts.csv": ("csv", "utf-8", 1, 14, 22, 0, "", "external_id first_name last_name"),
        "keila_import_excel.csv": ("csv", "utf-8-sig", 1, 3, 201, 0, "", "email first_name last_name"),
        "keila_import_malformed1.csv": ("csv", "utf-8", 1, 3, 3, 0, "", "email first_name last_name"),
        "keila_import_malformed2.csv": ("csv", "utf-8", 1, 3, 1, 0, "", "email first_name last_name"),
        "keila_import_with_data.csv": ("csv", "utf-8", 1, 4, 2, 0, "", "email first_name last_name"),
        "klaviyo_person.csv": (
            "csv",
            "utf-8",
            1,
            69,
            2,
            0,
            "",
            "external_id first_name last_name phone country email",
        ),
        "listmonk_subscribers.csv": ("csv", "utf-8", 1, 3, 100, 0, "", "email full_name"),
        "mailchimp_audience_export_header.csv": (
            "csv",
            "utf-8",
            1,
            19,
            1,
            0,
            "Mailchimp audience",
            "email first_name last_name country",
        ),
        "mailchimp_members.csv": (
            "csv",
            "utf-8",
            1,
            24,
            9,
            0,
            "",
            "external_id country email first_name last_name consent",
        ),
        "mautic_fake_leads.csv": (
            "csv",
            "utf-8",
            1,
            16,
            54,
            0,
            "Mautic contacts",
            "first_name last_name country email phone",
        ),
        "messy_lead_sheets/01-facebook-leads-standard.csv": (
            "csv",
            "utf-8",
            1,
            6,
            5,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/03-google-ads-leads.csv": ("csv", "utf-8", 1, 7, 3, 0, "", "email phone"),
        "messy_lead_sheets/05-excel-export.csv": (
            "csv",
            "utf-8",
            1,
            7,
            3,
            0,
            "",
            "first_name last_name email phone",
        ),
        "messy_lead_sheets/07-real-estate-crm.csv": ("csv", "utf-8", 1, 9, 3, 0, "", "full_name email phone"),
        "messy_lead_sheets/09-duplicate-headers.csv": (
            "csv",
            "utf-8",
            1,
            6,
            2,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/11-international-names.csv": (
            "csv",
            "utf-8",
            1,
            5,
            4,
            0,
            "",
            "full_name email phone country",
        ),
        "messy_lead_sheets/13-mixed-languages.csv": ("csv", "utf-8", 1, 5, 3, 0, "", "full_name email phone"),
        "messy_lead_sheets/15-duplicate-rows.csv": ("csv", "utf-8", 1, 4, 5, 0, "", "full_name email phone"),
        "messy_lead_sheets/17-formula-injection.csv": (
            "csv",
            "utf-8",
            1,
            4,
            5,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/19-empty-columns.csv": ("csv", "utf-8", 1, 7, 3, 0, "", "full_name email phone"),
        "messy_lead_sheets/21-tab-separated.csv": ("tsv", "utf-8", 1, 4, 2, 0, "", "full_name email phone"),
        "messy_lead_sheets/23-quoted-fields-multiline.csv": (
            "csv",
            "utf-8",
            1,
            4,
            2,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/25-hubspot-export.csv": (
            "csv",
            "utf-8",
            1,
            8,
            3,
            0,
            "HubSpot contacts",
            "external_id first_name last_name email phone",
        ),
        "messy_lead_sheets/real-world_agency-chaos.csv": (
            "csv",
            "utf-8",
            2,
            6,
            4,
            0,
            "",
            "external_id full_name email",
        ),
        "messy_lead_sheets/real-world_european-semicolon.csv": (
            "csv",
            "utf-8",
            1,
            5,
            2,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/real-world_facebook-leads-realistic.csv": (
            "csv",
            "utf-8",
            1,
            14,
            3,
            0,
            "",
            "external_id full_name email phone country",
        ),
        "messy_lead_sheets/real-world_horrible-headers-mixed.csv": (
            "csv",
            "utf-8",
            1,
            11,
            3,
            0,
            "",
            "full_name email phone",
        ),
        "messy_lead_sheets/real-world_rtl-arabic-headers.csv": (
            "csv",
            "utf-8",
            1,
            5,
            2,
            0,
            "",
            "email phone",
        ),
        "messy_lead_sheets/real-world_zoho-crm-export.csv": (
            "csv",
            "utf-8",
            1,
            7,
            3,
            0,
            "",
            "full_name email phone",
        ),
        "shopify_customers_export.csv": (
            "csv",
            "utf-8",
            1,
            16,
            2,
            0,
            "Shopify customers",
            "external_id first_name last_name email consent country phone",
        ),
        "shopify_customers_export_quirks.csv": (
            "csv",
            "utf-8",
            1,
            7,
            6,
            0,
            "Shopify customers",
            "external_id first_name last_name email consent phone",
        ),
        "shopify_orders_export_clean.csv": ("csv", "utf-8", 14, 21, 12, 0, "Shopify orders", "email"),
    },
    "leads": {
        "marketstar_b2b_leads.csv.gz": (
            "This is a packed file (gzip). Unpack it and choose the file that was in it."
        ),
        "x_education_data_dictionary.xlsx": ("xlsx", "", 3, 3, 37, 0, "", ""),
        "x_education_leads.csv": ("csv", "utf-8", 1, 37, 6930, 0, "", "external_id country"),
    },
    "messy_spreadsheets": {
        "csvEscapedQuotes.csv": ("csv", "utf-8", 1, 2, 2, 0, "", ""),
        "csvtext_BOM_UTF16LE.csv": ("csv", "utf-16", 1, 3, 2, 0, "", ""),
        "csvtext_BOM_UTF8.csv": ("csv", "utf-8-sig", 1, 3, 2, 0, "", ""),
        "doublequote.csv": ("csv", "utf-8", 1, 17, 5, 0, "", ""),
        "excel_properties.xls": ("xls", "", 1, 1, 17, 0, "", ""),
        "latin1.csv": ("csv", "cp1252", 1, 2, 2, 0, "", "external_id full_name"),
        "long.csv": ("csv", "utf-8", 0, 1, 4000, 0, "", ""),
        "merged-cells.xlsx": ("xlsx", "", 1, 1, 0, 0, "", ""),
        "mixedGLB.csv": ("csv", "utf-8", 4, 19, 133, 0, "", ""),
        "multiline-headers.xlsx": ("xlsx", "", 1, 4, 3, 0, "", ""),
        "simple.xlsx": ("xlsx", "", 1, 3, 6, 0, "", ""),
        "skip-rows-before-headers.csv": ("csv", "utf-8", 2, 2, 2, 0, "", "external_id full_name"),
        "sparse_with_column_errors.csv": ("csv", "cp1252", 1, 3, 2188, 12, "", ""),
        "utf-16le_encoded.csv": ("csv", "utf-16", 1, 19, 327, 0, "", ""),
        "weird_head_padding.csv": ("csv", "utf-8", 12, 10, 76, 0, "", ""),
    },
    "products": {
        "shopify_apparel.csv": ("csv", "utf-8", 1, 46, 22, 0, "Shopify products", ""),
        "shopify_jewelery.csv": ("csv", "utf-8", 1, 46, 41, 0, "Shopify products", ""),
        "woocommerce_sample_products.csv": ("csv", "utf-8", 1, 55, 24, 0, "WooCommerce products", ""),
    },
}


def found(path):
    try:
        look = seen(path)
    except Unreadable as unreadable:
        return str(unreadable)
    rows, _ = read(path, look)
    refused = sum(1 for row in rows if row.wrong)
    export = recognise_export(look)
    known = " ".join(one.target for one in match(look, PEOPLE, {}) if one.target)
    return (
        look.format,
        look.encoding,
        look.header_row,
        len(look.headings),
        len(rows) - refused,
        refused,
        export.label if export else "",
        known,
    )


def files(folder):
    return [path for path in sorted(shared(folder).rglob("*")) if path.is_file()]


@pytest.mark.parametrize("folder", SEEN)
def test_what_is_recognised_in_real_files(folder):
    told = {str(path.relative_to(shared(folder))): found(path) for path in files(folder)}

    assert told == SEEN[folder]


@pytest.mark.parametrize("folder", SEEN)
def test_no_line_of_a_real_file_is_lost_without_a_word(folder):
    for path in files(folder):
        if path.suffix != ".csv":
            continue
        look = seen(path)
        with path.open(encoding=look.encoding, newline="") as file:
            lines = list(enumerate(csv.reader(file, delimiter=look.delimiter), start=1))
        rows, notes = read(path, look)
        below = [number for number, cells in lines if number > look.header_row]
        blank = [number for number, cells in lines if number in below and not "".join(cells).strip()]

        assert sorted([*(row.number for row in rows), *blank]) == below, path.name
        assert bool(blank) == bool(notes), path.name
        if above := [cells for number, cells in lines if number < look.header_row and any(cells)]:
            assert f"Row{'' if len(above) == 1 else 's'}".lower() in look.notes[0].lower(), path.name
