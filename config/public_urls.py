"""Addresses on the hosts that strangers are given: public pages and the API, and nothing else."""

from config import urls

urlpatterns = urls.public
