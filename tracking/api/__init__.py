"""The server API of tracking, version 1: what a shop's own server tells of carts and of what people did."""

from crm.kernel.endpoints import new_api
from crm.shop.keys import recognise
from tracking.api import carts, events

api = new_api(
    title="Rekindle tracking", namespace="tracking-api", recognise=recognise, openapi_url="/tracking.json"
)
api.add_router("", events.router)
api.add_router("", carts.router)
