"""Klaviyo → Lists & segments → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class Klaviyo(Export):
    """A list or segment of Klaviyo; custom properties stand as columns of their own after the others."""

    key = "crm.klaviyo"
    label = "Klaviyo list or segment"
    holds = "contacts"
    signs = (
        headings("Email|Klaviyo ID"),
        headings("Email|Email Marketing Consent|Email Marketing Consent Timestamp"),
        headings("Email|$consent|$consent_timestamp"),
    )
    columns = named(
        external_id="Klaviyo ID|External ID",
        email="Email",
        first_name="First Name",
        last_name="Last Name",
        phone="Phone Number",
        company="Organization",
        job_title="Title",
        street="Address",
        city="City",
        region="State / Region|Region",
        postcode="Zip Code|Zip",
        country="Country",
        time_zone="Timezone",
        language="Locale",
        source="Source|Initial Source|$source",
        consent="Email Marketing Consent|$consent",
        consent_at="Email Marketing Consent Timestamp|$consent_timestamp",
        created_at="Profile Created On|Date Added",
        nothing="Address 2|Latitude|Longitude|Last Active|Last Open|Last Click|Email Suppressions|$id",
    )
