"""Every rule that a program can break, by the stage that finds it.

    E00xx  text and tokens        syntax/
    E01xx  syntax                 syntax/
    E02xx  names                  hir/
    E03xx  types                  hir/
    E04xx  not supported          any stage
    E05xx  modules                hir/
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

# --- E02xx: names ------------------------------------------------------------------

UNKNOWN_NAME = Rule("E0201", "A name is declared before it is used.")
UNKNOWN_TYPE = Rule("E0202", "A type is declared or built in.")
UNKNOWN_MEMBER = Rule("E0203", "A field, method or variant belongs to its type.")
UNKNOWN_PARAMETER = Rule("E0204", "A named argument names a parameter.")
DUPLICATE_NAME = Rule("E0205", "A name is declared once in its scope.")
DUPLICATE_VALUE = Rule("E0206", "The variants of an enum have different values.")
NOT_A_TYPE = Rule("E0207", "A type stands where a type is wanted.")
NOT_A_VALUE = Rule("E0208", "A value stands where a value is wanted.")
IMMUTABLE = Rule("E0209", "Only a `var`, a field or an element is assigned.")
BAD_TARGET = Rule("E0210", "An assignment names a place.")
MISPLACED_SELF = Rule("E0211", "`self` stands in a method that has a receiver.")
MISPLACED_RETURN = Rule("E0212", "`return` stands in a function.")
MISPLACED_BREAK = Rule("E0213", "`break` and `continue` stand in a loop.")
UNKNOWN_LABEL = Rule("E0214", "`break` and `continue` name a loop around them.")
CYCLIC_ALIAS = Rule("E0215", "A type alias does not stand for itself.")
CYCLIC_CONSTANT = Rule("E0216", "A value does not depend on itself.")
MISPLACED_USE = Rule("E0217", "Imports and foreign functions stand at the top level.")
UNKNOWN_EXTERN = Rule("E0218", "A foreign function exists.")
USED_BEFORE = Rule("E0219", "A module-level variable is set before it is read.")

# --- E03xx: types ------------------------------------------------------------------

WRONG_TYPE = Rule("E0301", "A value has the type that its place asks for.")
WRONG_ARITY = Rule("E0302", "A call passes one argument for each parameter.")
WRONG_TYPE_ARITY = Rule("E0303", "A generic type or function takes its number of type arguments.")
DUPLICATE_ARGUMENT = Rule("E0304", "An argument or field is given once.")
MISSING_FIELD = Rule("E0305", "A construction gives every field without a default.")
MISSING_RESULT = Rule("E0306", "A function that returns a value ends with one.")
BRANCH_TYPES = Rule("E0307", "The branches of an `if` with a value have one type.")
NO_VALUE = Rule("E0308", "An expression that is used has a value.")
BAD_OPERAND = Rule("E0309", "An operator applies to its operands.")
BAD_COMPARISON = Rule("E0310", "Values that are compared are comparable.")
MIXED_WIDTHS = Rule("E0311", "Integers of different types do not mix.")
LITERAL_RANGE = Rule("E0312", "A literal is in the range of its type.")
BAD_CAST = Rule("E0313", "`as` converts between numbers.")
NOT_OPTIONAL = Rule("E0314", "`?.`, `??`, `!` and their kin apply to an optional.")
NOT_CALLABLE = Rule("E0315", "What is called is a function.")
NOT_INDEXABLE = Rule("E0316", "What is indexed has elements.")
NOT_ITERABLE = Rule("E0317", "What a `for` goes over can be iterated.")
TUPLE_INDEX = Rule("E0318", "The index into a tuple is a constant within it.")
PATTERN_TYPE = Rule("E0319", "A pattern matches the type of its value.")
CANNOT_INFER_TYPE = Rule("E0321", "A type can be told from what is written.")
CANNOT_INFER_RESULT = Rule("E0322", "What a function returns can be told from its body.")
NOT_CONSTANT = Rule("E0323", "The value of a constant is known at compile time.")
BAD_FORMAT = Rule("E0324", "A format specification suits its value.")
BAD_SPREAD = Rule("E0325", "An array is spread where several values are wanted.")
STATIC_CALL = Rule("E0326", "A static function is called on its type, a method on a value.")
METHOD_VALUE = Rule("E0327", "A method that needs arguments is called.")
ZERO_STEP = Rule("E0328", "A step is not 0.")
BAD_PROPAGATION = Rule("E0329", "`?` stands in a function that can return what it propagates.")
ENDLESS_TYPE = Rule("E0330", "A generic type or function does not need ever larger types.")
EXTERN_TYPE = Rule("E0331", "A foreign function takes and returns what C knows.")
BAD_MAIN = Rule("E0332", "`main` takes no parameter or the arguments.")
ARRAY_LENGTH = Rule("E0333", "An array of fixed length keeps its length, and is used within it.")
LIBRARY_TYPE = Rule("E0334", "A function of the library is used with types that it is for.")
TOO_MANY_GLOBALS = Rule("E0335", "There is room for all module-level variables of a program.")
VALUED_PAYLOAD = Rule("E0340", "An enum gives its variants values or payloads, not both.")
NOT_EXHAUSTIVE = Rule("E0341", "A `match` has an arm for every value.")
REFUTABLE_PATTERN = Rule("E0342", "The pattern of a binding or loop matches every value.")
ALTERNATIVE_NAMES = Rule("E0343", "The alternatives of a pattern bind the same names.")
NOT_A_TRAIT = Rule("E0350", "A bound and an `impl … for` name a trait.")
MISSING_METHOD = Rule("E0351", "An `impl` of a trait has all methods that the trait asks for.")
WRONG_SIGNATURE = Rule("E0352", "A method has the signature that its trait gives it.")
NOT_IMPLEMENTED = Rule("E0353", "A type implements the traits that are asked of it.")
DUPLICATE_IMPL = Rule("E0354", "A type implements a trait once.")
BOUND_AS_TYPE = Rule("E0355", "A trait of the language is a bound, not the type of a value.")
AMBIGUOUS_METHOD = Rule("E0356", "A method that is called belongs to one trait of the type.")
LEAVES_FINALLY = Rule("E0360", "A `finally` or `defer` runs to its end.")
NOT_A_RESOURCE = Rule("E0361", "A `with` is given what can be closed.")

# --- E04xx: not supported ----------------------------------------------------------

LOCAL_DECORATOR = Rule("E0413", "The methods of a type declared in a block have no decorators.")
NEEDS_COMPILER = Rule("E0420", "What is compiled ahead of time needs neither the compiler nor Python.")
BAD_EXPORT = Rule("E0421", "An exported function has a name and types that C has.")

# --- E05xx: modules ----------------------------------------------------------------

UNKNOWN_MODULE = Rule("E0501", "A module that is used exists.")
UNKNOWN_IMPORT = Rule("E0502", "A module declares what is imported from it.")
NOT_EXPORTED = Rule("E0503", "A module exports what is imported from it.")
AMBIGUOUS_IMPORT = Rule("E0504", "A name that is used comes from one module.")

# --- W00xx: warnings ---------------------------------------------------------------

UNREACHABLE_CODE = Rule("W0001", "Code is reachable.", "warning")
DEPRECATED = Rule("W0002", "What is deprecated is not used.", "warning")
DIVISION_BY_ZERO = Rule("W0003", "A divisor is not 0.", "warning")
UNREACHABLE_ARM = Rule("W0010", "An arm of a `match` can be reached.", "warning")
