"""Every rule that a program can break, by the stage that finds it.

    E00xx  text and tokens        syntax/
    E01xx  syntax                 syntax/
    E02xx  names and modules      hir/
    E03xx  types                  hir/
    E04xx  not supported          any stage
    W00xx  warnings               any stage

A code is never given a second meaning; a rule that is dropped leaves its code unused.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import Rule

# --- E00xx: text and tokens --------------------------------------------------------

CANNOT_READ = Rule("E0001", "A source file must exist and be readable.")
NOT_UTF8 = Rule("E0002", "A source file is UTF-8 text.")
UNKNOWN_CHARACTER = Rule("E0003", "This character has no meaning outside text and comments.")
TAB_INDENTATION = Rule("E0004", "Indentation is made of spaces.")
BAD_DEDENT = Rule("E0005", "A line is indented like one of the blocks around it.")
UNEXPECTED_INDENT = Rule("E0006", "Only a line after a `:` is indented deeper.")
UNTERMINATED_TEXT = Rule("E0007", "Text ends with the quote it began with.")
BAD_ESCAPE = Rule("E0008", "An escape is one of those the language has.")
BAD_NUMBER = Rule("E0009", "A number is written as the language has it.")
NUMBER_OUT_OF_RANGE = Rule("E0010", "A literal fits its type.")
STRAY_BRACE = Rule("E0011", "A brace in text is doubled or escaped unless it interpolates.")
UNTERMINATED_INTERPOLATION = Rule("E0012", "`{` in text is closed before the text ends.")
EMPTY_INTERPOLATION = Rule("E0013", "`{…}` in text holds an expression.")
MISMATCHED_BRACKET = Rule("E0014", "Brackets close in the order in which they were opened.")
UNCLOSED_BRACKET = Rule("E0015", "Every bracket is closed.")
BAD_CONTINUATION = Rule("E0016", "`\\` at the end of a line is followed by another line.")

# --- E01xx: syntax -----------------------------------------------------------------

EXPECTED_TOKEN = Rule("E0101", "The grammar asks for another token here.")
EXPECTED_EXPRESSION = Rule("E0102", "An expression stands here.")
EXPECTED_TYPE = Rule("E0103", "A type stands here.")
EXPECTED_PATTERN = Rule("E0104", "A pattern stands here.")
EXPECTED_NAME = Rule("E0105", "A name stands here.")
EXPECTED_BLOCK = Rule("E0106", "A `:` is followed by a body.")
EXPECTED_STATEMENT_END = Rule("E0107", "A statement ends with its line or with `;`.")
TOO_DEEP = Rule("E0108", "Brackets, blocks and operators nest to a limited depth.")
KEYWORD_AS_NAME = Rule("E0109", "A keyword is not a name.")
BAD_ASSIGNMENT_TARGET = Rule("E0110", "Only names, fields, elements and tuples are assigned.")
NEEDS_INITIALIZER = Rule("E0111", "A binding has an initializer.")
BAD_ARGUMENT_ORDER = Rule("E0112", "Named arguments follow the positional ones.")
BAD_PARAMETER = Rule("E0113", "Parameters are plain, then with defaults; a variadic one is last.")
MISPLACED_DECLARATION = Rule("E0114", "Each declaration has its places.")
MISPLACED_ANNOTATION = Rule("E0115", "An annotation stands before a declaration.")
MISPLACED_PLACEHOLDER = Rule("E0116", "`_1` stands inside an argument or an initializer.")
MISPLACED_PATTERN_TEST = Rule("E0117", "`val P = e` tests only in a condition, joined by `and`.")
MISPLACED_SPREAD = Rule("E0118", "A spread stands in a literal or among arguments.")
MISSING_BODY = Rule("E0119", "A function outside of a trait has a body.")
EMPTY_MATCH = Rule("E0120", "A `match` has an arm.")
INCOMPLETE_TRY = Rule("E0121", "A `try` has a `catch` or a `finally`.")
DUPLICATE_REST = Rule("E0122", "A pattern has one `...` at most.")
MIXED_COLLECTION = Rule("E0123", "A `{…}` literal is a dict or a set, not both.")
BAD_LABEL = Rule("E0124", "A label stands before a loop.")
FOREIGN_SYNTAX = Rule("E0125", "This is how another language writes it.")

# --- E02xx: names and modules ------------------------------------------------------

# --- E03xx: types ------------------------------------------------------------------

# --- E04xx: not supported ----------------------------------------------------------

# --- W00xx: warnings ---------------------------------------------------------------
