"""Shopify → Products → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class ShopifyProducts(Export):
    """The products of a Shopify shop: a row for each variant and each further picture, which repeats the
    handle and leaves out what the first row said of all."""

    key = "crm.shopify_products"
    label = "Shopify products"
    holds = "products"
    signs = (
        headings("Handle|Title|Variant SKU|Variant Price"),
        headings("URL handle|Title|SKU|Price"),
    )
    columns = named(
        external_id="Handle|URL handle",
        name="Title",
        description="Body (HTML)|Description",
        brand="Vendor",
        category="Type|Product category",
        tags="Tags",
        sku="Variant SKU|SKU",
        price="Variant Price|Price",
        list_price="Variant Compare At Price|Compare-at price",
        cost="Cost per item",
        stock="Variant Inventory Qty|Inventory quantity",
        counted="Variant Inventory Tracker|Inventory tracker",
        image_url="Image Src|Product image URL",
        is_active="Status|Published",
        nothing="Variant Grams|Variant Inventory Policy|Variant Fulfillment Service"
        "|Variant Requires Shipping|Variant Taxable|Variant Barcode|Image Position|Image Alt Text|Gift Card"
        "|SEO Title|SEO Description|Variant Image|Variant Weight Unit|Variant Tax Code",
    )
