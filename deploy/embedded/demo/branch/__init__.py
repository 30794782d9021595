"""The branch office: a second Odoo that gets a part of the products and buys what the first sells.

`odoo` starts it, `routes` say what it gets, `target` what may be written there, `questions` ask
both databases whether it has all that, once.
"""
