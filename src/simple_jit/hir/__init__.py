"""HIR: the typed tree of one function instance, and how it is made from the AST."""
