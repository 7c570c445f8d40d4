"""Shopify → Customers → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class ShopifyCustomers(Export):
    """The customers of a Shopify shop, one in each row, with what they spent in all."""

    key = "crm.shopify_customers"
    label = "Shopify customers"
    holds = "contacts"
    signs = (
        headings("First Name|Last Name|Email|Accepts Email Marketing"),
        headings("First Name|Last Name|Email|Accepts Marketing|Total Spent"),
    )
    columns = named(
        external_id="Customer ID",
        first_name="First Name",
        last_name="Last Name",
        email="Email",
        phone="Phone",
        consent="Accepts Email Marketing|Accepts Marketing",
        company="Default Address Company|Company",
        street="Default Address Address1|Address1",
        city="Default Address City|City",
        region="Default Address Province Code|Province Code",
        country="Default Address Country Code|Country Code",
        postcode="Default Address Zip|Zip",
        tags="Tags",
        notes="Note",
        nothing="Default Address Phone|Default Address Address2|Accepts SMS Marketing|Tax Exempt",
    )
