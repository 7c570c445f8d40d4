"""One telephone number."""

from crm.likeness import LIVING, Likeness, likenesses


@likenesses.register
class Telephone(Likeness):
    """The same last nine digits: once written with its country, once without, or told again by somebody whose
    number was another's already.
    """

    key = "crm.telephone"
    label = "same telephone number"
    sql = f"""
        SELECT c.id, right(regexp_replace(c.phone, '\\D', '', 'g'), 9) {LIVING} AND length(c.phone) > 8
        UNION
        SELECT p.contact_id, right(regexp_replace(p.address, '\\D', '', 'g'), 9)
        FROM crm_contactpoint AS p JOIN crm_contact AS c ON c.id = p.contact_id
        WHERE p.channel = 'sms' AND c.merged_into_id IS NULL AND NOT c.is_test
    """  # noqa: S608 - our own words
