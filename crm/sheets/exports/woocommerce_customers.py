"""WooCommerce → Analytics → Customers → Download."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class WooCommerceCustomers(Export):
    """The customers of a WooCommerce shop, guests among them, with what they spent in all."""

    key = "crm.woocommerce_customers"
    label = "WooCommerce customers"
    holds = "contacts"
    signs = (headings("Name|Username|Last Active|Email|Total Spend|AOV"),)
    columns = named(
        full_name="Name",
        external_id="Username",
        email="Email",
        country="Country / Region",
        city="City",
        region="Region",
        postcode="Postal Code",
        created_at="Sign Up|Registered",
        nothing="Last Active|AOV",
    )
    means_nothing = ("N/A",)
