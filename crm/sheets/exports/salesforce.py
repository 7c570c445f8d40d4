"""Salesforce: reports, data export and Data Loader, of leads and of contacts."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class Salesforce(Export):
    """Leads or contacts of Salesforce, as a report or a data export writes them."""

    key = "crm.salesforce"
    label = "Salesforce leads or contacts"
    holds = "contacts"
    signs = (
        headings("Id|LastName|Email|OwnerId"),
        headings("Id|LastName|Email|SystemModstamp"),
        headings("Last Name|Company / Account|Email"),
        headings("Last Name|Lead Owner|Lead Status"),
        headings("Contact ID|Last Name|Account Name|Email"),
        headings("Lead ID|Last Name|Lead Status|Email"),
    )
    columns = named(
        external_id="Id|Contact ID|Lead ID",
        first_name="FirstName|First Name",
        last_name="LastName|Last Name",
        full_name="Name",
        email="Email",
        phone="Phone|MobilePhone|Mobile",
        company="Company|Company / Account|Account Name",
        job_title="Title",
        street="MailingStreet|Street|Mailing Street",
        city="MailingCity|City|Mailing City",
        region="MailingState|State|State/Province|Mailing State/Province",
        postcode="MailingPostalCode|PostalCode|Zip/Postal Code|Mailing Zip/Postal Code",
        country="MailingCountry|Country|Mailing Country",
        birthday="Birthdate",
        source="LeadSource|Lead Source",
        stage="Status|Lead Status",
        owner="Lead Owner|Contact Owner",
        notes="Description",
        created_at="CreatedDate|Create Date",
        nothing="OwnerId|CreatedById|LastModifiedById|LastModifiedDate|SystemModstamp|IsDeleted|MasterRecordId"
        "|AccountId|LastActivityDate|PhotoUrl|LastViewedDate|LastReferencedDate|Salutation|IsConverted",
    )
    means_nothing = ("[not provided]", "-")
