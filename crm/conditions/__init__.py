"""What rules can say of a contact from what crm knows: orders, consent, who they are, segments."""
