"""WooCommerce → Products → Export."""

from crm.sheets.exports import Export, exports, headings, named


@exports.register
class WooCommerceProducts(Export):
    """The products of a WooCommerce shop; variations are rows of their own that name their parent."""

    key = "crm.woocommerce_products"
    label = "WooCommerce products"
    holds = "products"
    signs = (headings("ID|Type|SKU|Name|Visibility in catalog|Regular price"),)
    columns = named(
        external_id="ID",
        sku="SKU",
        name="Name",
        is_active="Published",
        description="Description",
        stock="Stock",
        in_stock="In stock?",
        price="Sale price",
        list_price="Regular price",
        category="Categories",
        tags="Tags",
        image_url="Images",
        brand="Brands",
        parent="Parent",
        kind="Type",
        nothing="Is featured?|Visibility in catalog|Date sale price starts|Date sale price ends|Tax status"
        "|Tax class|Low stock amount|Backorders allowed?|Sold individually?|Weight (kg)|Length (cm)"
        "|Width (cm)|Height (cm)|Allow customer reviews?|Purchase note|Shipping class|Download limit"
        "|Download expiry days|Grouped products|Upsells|Cross-sells|External URL|Button text|Position",
    )
