"""Mautic → Contacts → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class Mautic(Export):
    """Contacts of Mautic, with their points."""

    key = "crm.mautic"
    label = "Mautic contacts"
    holds = "contacts"
    signs = (headings("firstname|lastname|email|points|address1|zipcode"),)
    columns = named(
        external_id="id",
        first_name="firstname",
        last_name="lastname",
        email="email",
        phone="mobile|phone",
        company="company",
        job_title="position",
        street="address1",
        city="city",
        region="state",
        postcode="zipcode",
        country="country",
        language="preferred_locale",
        time_zone="timezone",
        website="website",
        tags="tags",
        nothing="address2|fax|ip|date_identified|last_active|attribution|attribution_date|facebook|foursquare"
        "|instagram|linkedin|skype|twitter",
    )
