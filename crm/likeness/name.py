"""One name, and more than that."""

from crm.likeness import Likeness, likenesses

_NAME = "lower(regexp_replace(trim(c.first_name || ' ' || c.last_name), '\\s+', ' ', 'g'))"
_NAMED = "c.merged_into_id IS NULL AND NOT c.is_test AND c.first_name <> '' AND c.last_name <> ''"


@likenesses.register
class NameAndCompany(Likeness):
    """The same first and last name at the same company."""

    key = "crm.name_and_company"
    label = "same name and company"
    sql = f"""
        SELECT c.id, {_NAME} || '~' || c.company_id FROM crm_contact AS c
        WHERE {_NAMED} AND c.company_id IS NOT NULL
    """  # noqa: S608 - our own words


@likenesses.register
class NameAndAnswer(Likeness):
    """The same first and last name and the same text, number or day in an own field: a postcode, a birthday,
    a customer number of before.
    """

    key = "crm.name_and_answer"
    label = "same name and one answer"
    sql = f"""
        SELECT c.id, {_NAME} || '~' || own.key || '~' || lower(c.fields ->> own.key)
        FROM crm_contact AS c, crm_ownfield AS own
        WHERE {_NAMED} AND own.type IN ('text', 'number', 'date', 'link') AND c.fields ? own.key
    """  # noqa: S608 - our own words
