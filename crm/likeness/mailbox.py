"""One mailbox under two spellings."""

from crm.likeness import Likeness, likenesses


@likenesses.register
class Mailbox(Likeness):
    """Addresses that reach one mailbox: what stands after a plus, and at Gmail dots, makes no difference."""

    key = "crm.mailbox"
    label = "same mailbox"
    sql = """
        SELECT p.contact_id, CASE
                WHEN split_part(p.address, '@', 2) IN ('gmail.com', 'googlemail.com')
                THEN replace(split_part(split_part(p.address, '@', 1), '+', 1), '.', '') || '@gmail.com'
                ELSE split_part(split_part(p.address, '@', 1), '+', 1) || '@' || split_part(p.address, '@', 2)
            END
        FROM crm_contactpoint AS p JOIN crm_contact AS c ON c.id = p.contact_id
        WHERE p.channel = 'email' AND c.merged_into_id IS NULL AND NOT c.is_test
    """
