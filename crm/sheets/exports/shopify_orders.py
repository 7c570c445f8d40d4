"""Shopify → Orders → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class ShopifyOrders(Export):
    """The orders of a Shopify shop: one in each row, and a row more for every further line of it, which
    repeats the order's name and says nothing else but the line."""

    key = "crm.shopify_orders"
    label = "Shopify orders"
    holds = "orders"
    signs = (headings("Name|Financial Status|Lineitem quantity|Lineitem name"),)
    columns = named(
        external_id="Id",
        number="Name",
        email="Email",
        phone="Phone",
        status="Financial Status",
        placed_at="Created at",
        currency="Currency",
        subtotal="Subtotal",
        shipping="Shipping",
        tax="Taxes",
        total="Total",
        coupon_code="Discount Code",
        discount="Discount Amount",
        refunded="Refunded Amount",
        cancelled_at="Cancelled at",
        consent="Accepts Marketing",
        line_quantity="Lineitem quantity",
        line_name="Lineitem name",
        line_price="Lineitem price",
        line_sku="Lineitem sku",
        country="Billing Country",
        nothing="Fulfillment Status|Fulfilled at|Paid at|Payment Method|Payment Reference|Shipping Method"
        "|Lineitem requires shipping|Lineitem taxable|Lineitem fulfillment status|Risk Level",
    )
