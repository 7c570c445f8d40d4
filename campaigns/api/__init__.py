"""The server API of campaigns, version 1: what a shop's own server puts into a flow."""

from campaigns.api import enrolling
from crm.kernel.endpoints import new_api
from crm.shop.keys import recognise

api = new_api(
    title="Rekindle campaigns", namespace="campaigns-api", recognise=recognise, openapi_url="/campaigns.json"
)
api.add_router("", enrolling.router)
