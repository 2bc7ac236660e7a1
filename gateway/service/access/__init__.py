"""Who may do what: platforms and their keys, operators, rules about objects."""
