"""From source text to tokens, and from tokens to the syntax tree."""
