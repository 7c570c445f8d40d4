"""Real spreadsheets of others: what somebody who looked into them knows, and corrects on the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class File:
    """`kind` in words; how it is written, as seen by eye; what is corrected, by heading, in the words of the
    page; other answers. `rows`: how many, where only the product reads the format; `stops`: why it does not
    get past the first page; `refused`: how many rows stay out.
    """

    kind: str
    subject: str = "Contacts"
    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    header_row: int = 1
    rows: int | None = None
    refused: int = 0
    stops: str = ""


NUMBER = "Their number elsewhere"
NAME = "Name"
AMERICAN = {"region": "US"}

FILES: dict[str, File] = {
    "contacts/chatwoot_contacts.csv": File("people of a chat program"),
    "contacts/dittofeed_missing-email-users.csv": File("people without addresses"),
    "contacts/dittofeed_missing-headers-users.csv": File(
        "people, no row of headings", header_row=0, columns={"A": NUMBER, "C": "First name", "D": "Last name"}
    ),
    "contacts/dittofeed_users.csv": File("people of a messaging program", answers=AMERICAN),
    "contacts/hubspot_contacts.csv": File("HubSpot by way of a warehouse, hashed addresses"),
    "contacts/keila_import_excel.csv": File("Excel export, semicolons, a byte-order mark", delimiter=";"),
    "contacts/keila_import_malformed1.csv": File("blanks after commas, quotes at will"),
    "contacts/keila_import_malformed2.csv": File("one row without an address", refused=1),
    "contacts/keila_import_with_data.csv": File(
        "JSON in quoted cells", columns={"Data": "A new field: text"}
    ),
    "contacts/klaviyo_person.csv": File("Klaviyo profiles, 69 columns"),
    "contacts/listmonk_subscribers.csv": File(
        "subscribers, JSON in cells", columns={"attributes": "A new field: text"}
    ),
    "contacts/mailchimp_audience_export_header.csv": File("Mailchimp audience"),
    "contacts/mailchimp_members.csv": File("Mailchimp members by way of a warehouse"),
    "contacts/mautic_fake_leads.csv": File("Mautic contacts, telephones of many countries", refused=4),
    "contacts/shopify_customers_export.csv": File("Shopify customers"),
    "contacts/shopify_customers_export_quirks.csv": File(
        "Shopify customers, an address twice, lines within cells", refused=1
    ),
    "contacts/shopify_orders_export_clean.csv": File(
        "Shopify orders below 13 lines of remarks", "Orders", header_row=14
    ),
    **{
        f"contacts/messy_lead_sheets/{name}.csv": File(
            kind,
            "Leads",
            **({"answers": {"definition": "Leads"} | dict(more.pop("answers", {}))} | more),  # type: ignore[arg-type]
        )
        for name, kind, more in (
            ("01-facebook-leads-standard", "Facebook lead form", {}),
            ("03-google-ads-leads", "Google Ads lead form", {"answers": {"region": "FR"}}),
            ("05-excel-export", "Excel, American days", {"answers": AMERICAN}),
            ("07-real-estate-crm", "lists of an estate agent", {"answers": {"region": "IN"}}),
            (
                "09-duplicate-headers",
                "headings twice",
                {"columns": {"Email": "", "Email (2)": "E-mail address"}},
            ),
            ("11-international-names", "names in four scripts, languages by name", {}),
            ("13-mixed-languages", "Spanish headings", {"answers": {"region": "FR"}}),
            ("15-duplicate-rows", "the same row three times", {}),
            ("17-formula-injection", "cells that would be formulas", {}),
            ("19-empty-columns", "columns with nothing in them", {}),
            ("21-tab-separated", "tabs, called .csv", {"delimiter": "\t"}),
            ("23-quoted-fields-multiline", "lines within cells", {}),
            ("25-hubspot-export", "HubSpot contacts", {}),
            (
                "real-world_agency-chaos",
                "an address and a telephone number in one cell, a blank row, a blank row above the headings",
                {"header_row": 2, "columns": {"Status": "A new field: text"}, "refused": 1},
            ),
            ("real-world_european-semicolon", "French headings, semicolons", {"delimiter": ";"}),
            ("real-world_facebook-leads-realistic", "Facebook leads with their campaigns", {}),
            (
                "real-world_horrible-headers-mixed",
                "five columns of telephones, three scripts",
                {"refused": 1},
            ),
            (
                "real-world_rtl-arabic-headers",
                "Arabic headings",
                {"columns": {"الاسم": "First and last name in one"}},
            ),
            (
                "real-world_zoho-crm-export",
                "Zoho leads",
                {"answers": {"region": "IN"}, "refused": 1},
            ),
        )
    },
    "leads/marketstar_b2b_leads.csv.gz": File("packed", "Leads", stops="This is a packed file (gzip)"),
    "leads/marketstar_b2b_leads.csv": File(
        "43,000 leads without names or addresses, unpacked",
        "Leads",
        answers={"definition": "Leads"},
        refused=313,
    ),
    "leads/x_education_data_dictionary.xlsx": File(
        "a list of words and meanings", header_row=3, columns={"Variables": NUMBER}
    ),
    "leads/x_education_leads.csv": File(
        "6,930 leads without addresses, a heading too many",
        "Leads",
        columns={"Lead Quality": "A new field: text"},
        answers={"definition": "Leads", "blanks": "Select, unknown"},
    ),
    "messy_spreadsheets/csvEscapedQuotes.csv": File(
        "quotes within quotes", "Companies", columns={"column1": NAME}
    ),
    "messy_spreadsheets/csvtext_BOM_UTF16LE.csv": File(
        "UTF-16", encoding="utf-16", columns={"column1": NUMBER, "column2": "First name"}
    ),
    "messy_spreadsheets/csvtext_BOM_UTF8.csv": File(
        "a byte-order mark", columns={"column1": NUMBER, "column2": "First name"}
    ),
    "messy_spreadsheets/doublequote.csv": File(
        "long texts with quotes", "Companies", columns={"NOMBREUE": NAME}
    ),
    "messy_spreadsheets/excel_properties.xls": File(
        "old Excel, formats of cells", "Companies", columns={"bold": NAME}, rows=17
    ),
    "messy_spreadsheets/latin1.csv": File("Latin-1", encoding="latin-1"),
    "messy_spreadsheets/long.csv": File(
        "4,000 times the same word, no headings", "Companies", header_row=0, columns={"A": NAME}, refused=4000
    ),
    "messy_spreadsheets/merged-cells.xlsx": File("one cell, merged", columns={"data": NUMBER}),
    "messy_spreadsheets/mixedGLB.csv": File(
        "figures below titles, lines end as on old Macs", header_row=4, columns={"Year": NUMBER}
    ),
    "messy_spreadsheets/multiline-headers.xlsx": File(
        "headings of several rows, merged", "Companies", columns={"Region": NAME}, refused=2
    ),
    "messy_spreadsheets/simple.xlsx": File("XLSX", "Companies", columns={"place": NAME}),
    "messy_spreadsheets/skip-rows-before-headers.csv": File("a remark above the headings", header_row=2),
    "messy_spreadsheets/sparse_with_column_errors.csv": File(
        "rows with cells too many, gaps",
        encoding="latin-1",
        columns={"LP": NUMBER, "Bezeichnung": "First and last name in one"},
        refused=309,
    ),
    "messy_spreadsheets/utf-16le_encoded.csv": File(
        "UTF-16, statistics", "Companies", encoding="utf-16", columns={"Organisation_name": NAME}
    ),
    "messy_spreadsheets/weird_head_padding.csv": File(
        "a table between remarks, semicolons within quotes",
        "Companies",
        delimiter=";",
        header_row=12,
        columns={"Column A": NAME},
    ),
    "products/shopify_apparel.csv": File("Shopify products", "Products"),
    "products/shopify_jewelery.csv": File("Shopify products with variants", "Products"),
    "products/woocommerce_sample_products.csv": File("WooCommerce products with variations", "Products"),
}
