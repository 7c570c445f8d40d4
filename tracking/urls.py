"""Addresses of tracking's server API. The public endpoints have an application of their own,
`tracking.collect`.
"""

from django.urls import path

from tracking.api import api

urlpatterns = [path("api/v1/", api.urls)]
