"""The server API, version 1: what a shop's own server tells of orders, products and people."""

from crm.api import contacts, orders, products
from crm.kernel.endpoints import new_api
from crm.shop.keys import recognise

api = new_api(title="Rekindle", namespace="crm-api", recognise=recognise, openapi_url="/openapi.json")
api.add_router("", orders.router)
api.add_router("", products.router)
api.add_router("", contacts.router)
