"""Mailchimp → Audience → Export audience."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class Mailchimp(Export):
    """An audience of Mailchimp. Subscribed, unsubscribed and cleaned members come as files of their own,
    whose names say so; the columns are alike."""

    key = "crm.mailchimp"
    label = "Mailchimp audience"
    holds = "contacts"
    signs = (headings("Email Address|MEMBER_RATING|LEID|EUID"),)
    columns = named(
        email="Email Address",
        first_name="First Name",
        last_name="Last Name",
        phone="Phone Number",
        street="Address",
        birthday="Birthday",
        company="Company",
        consent_at="OPTIN_TIME",
        country="CC",
        region="REGION",
        time_zone="TIMEZONE",
        tags="TAGS",
        notes="NOTES",
        nothing="MEMBER_RATING|OPTIN_IP|CONFIRM_TIME|CONFIRM_IP|LATITUDE|LONGITUDE|GMTOFF|DSTOFF|LAST_CHANGED"
        "|LEID|EUID|UNSUB_TIME|UNSUB_CAMPAIGN_TITLE|UNSUB_CAMPAIGN_ID|UNSUB_REASON|UNSUB_REASON_OTHER"
        "|CLEAN_TIME|CLEAN_CAMPAIGN_TITLE|CLEAN_CAMPAIGN_ID",
    )
