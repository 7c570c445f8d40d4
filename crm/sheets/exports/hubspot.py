"""HubSpot → Contacts → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class HubSpot(Export):
    """Contacts of HubSpot, with the columns of the view they were exported from."""

    key = "crm.hubspot"
    label = "HubSpot contacts"
    holds = "contacts"
    signs = (
        headings("Record ID|Email|Lifecycle Stage"),
        headings("Record ID|Email|Lead Status"),
        headings("Record ID|Email|Contact owner"),
        headings("Contact ID|Email|Lifecycle Stage"),
    )
    columns = named(
        external_id="Record ID|Contact ID",
        first_name="First Name",
        last_name="Last Name",
        email="Email",
        phone="Phone Number|Mobile Phone Number",
        company="Company Name|Associated Company",
        job_title="Job Title",
        street="Street Address",
        city="City",
        region="State/Region",
        postcode="Postal Code",
        country="Country/Region",
        language="Preferred language",
        time_zone="Time Zone",
        birthday="Date of birth",
        website="Website URL",
        source="Original Source|Original Traffic Source",
        stage="Lifecycle Stage",
        status="Lead Status",
        owner="Contact owner",
        created_at="Create Date",
        nothing="Last Activity Date|Last Modified Date|Associated Company IDs|Became a Lead Date",
    )
    means_nothing = ("(No value)",)
