/* Numbers as text and text as numbers, as Python's repr, format, float and int have them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simple.h"
#include "unicode.h"

/* --- Shortest digits ------------------------------------------------------------------------------ */

/* Digits without point and the power of ten of the first: 1.5 is "15", 0. */
struct digits { const char *text; int count, exponent; };

/* Take what printf's `e` has made apart, in its place. */
static struct digits read_digits(char *scientific, bool keep_zeros) {
    char *mark = strchr(scientific, 'e');
    struct digits d = {scientific, (int)(mark - scientific), atoi(mark + 1)};
    if (d.count > 1) {
        memmove(scientific + 1, scientific + 2, (size_t)d.count - 2);
        d.count--;
    }
    while (!keep_zeros && d.count > 1 && scientific[d.count - 1] == '0')
        d.count--;
    return d;
}

/* The decimal number of as many digits just above that in `scientific`. */
static void next_above(char *scientific, int precision) {
    char *at = scientific + (precision > 0 ? precision + 1 : 0);
    for (; at >= scientific; at--) {
        if (*at == '.')
            continue;
        if (*at != '9') {
            ++*at;
            return;
        }
        *at = '0';
    }
    *scientific = 0; /* 9.99…: the exponent changes, and fewer digits would have done */
}

/* The fewest digits that read back as `x`, which is finite and not below 0.
 *
 * Rounding to 15 digits gives them where 15 or fewer do, since each such decimal number survives the way
 * through a normal f64 and back; so 17 lengths need not be tried. The numbers that read back as a power of
 * two reach further up than down: there the nearest decimal may fail where the one above it does. */
static struct digits shortest(double x, char text[64]) {
    int mantissa_exponent;
    bool uneven = frexp(x, &mantissa_exponent) == 0.5;
    for (int precision = x < 2.3e-308 ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, 64, "%.*e", precision, x);
        if (strtod(text, NULL) == x)
            break;
        if (uneven && precision < 16) {
            next_above(text, precision);
            if (*text != 0 && strtod(text, NULL) == x)
                break;
        }
    }
    return read_digits(text, false);
}

/* Digits with point or exponent. `last_plain`: the first exponent that is not written out. */
static size_t put_digits(char *to, const struct digits *d, int last_plain, const char *always) {
    char *at = to;
    int point = d->exponent + 1;
    if (d->exponent < -4 || d->exponent >= last_plain) {
        *at++ = d->text[0];
        if (d->count > 1) {
            *at++ = '.';
            memcpy(at, d->text + 1, (size_t)d->count - 1);
            at += d->count - 1;
        }
        return (size_t)(at - to) + (size_t)sprintf(at, "e%c%02d", d->exponent < 0 ? '-' : '+', abs(d->exponent));
    }
    if (point <= 0) {
        memcpy(at, "0.", 2);
        memset(at + 2, '0', (size_t)-point);
        memcpy(at + 2 - point, d->text, (size_t)d->count);
        return (size_t)(2 - point + d->count);
    }
    for (int i = 0; i < point; i++)
        *at++ = i < d->count ? d->text[i] : '0';
    if (d->count > point) {
        *at++ = '.';
        memcpy(at, d->text + point, (size_t)(d->count - point));
        at += d->count - point;
    } else {
        at += sprintf(at, "%s", always);
    }
    return (size_t)(at - to);
}

/* What Python's repr gives. */
static size_t put_float(char *to, double x) {
    if (isnan(x))
        return (size_t)sprintf(to, "nan");
    size_t sign = signbit(x) ? 1 : 0;
    *to = '-';
    if (isinf(x))
        return sign + (size_t)sprintf(to + sign, "inf");
    char scientific[64];
    struct digits d = shortest(fabs(x), scientific);
    return sign + put_digits(to + sign, &d, 16, ".0");
}

ref rt_f64_to_text(double x) {
    char text[64];
    return simple_new_text(text, put_float(text, x));
}

ref rt_f32_to_text(float x) {
    char text[64];
    double shown = x;
    for (int precision = 1; precision < 10 && isfinite(x); precision++) {
        snprintf(text, sizeof text, "%.*g", precision, (double)x);
        shown = strtod(text, NULL);
        if ((float)shown == x)
            break;
        shown = x;
    }
    return simple_new_text(text, put_float(text, shown));
}

/* --- Format specifications ------------------------------------------------------------------------ */

struct spec {
    uint32_t fill;
    char align, sign, group, type; /* 0: not given */
    bool alternate, no_minus_zero;
    int64_t width, precision;      /* -1: not given */
};

/* The compiler has checked the specification. */
static struct spec parse_spec(ref text, char usual_align) {
    struct spec s = {' ', 0, 0, 0, 0, false, false, -1, -1};
    const char *at = text_data(text), *end = at + text_size(text);
    uint32_t first = 0;
    size_t length = at < end ? simple_next_char(at, (size_t)(end - at), &first) : 0;
    bool filled = length > 0 && at + length < end && strchr("<>=^", at[length]) != NULL && at[length] != 0;
    if (filled) {
        s.fill = first;
        at += length;
    }
    if (at < end && *at != 0 && strchr("<>=^", *at) != NULL)
        s.align = *at++;
    if (at < end && *at != 0 && strchr("+- ", *at) != NULL)
        s.sign = *at++;
    if (at < end && *at == 'z')
        s.no_minus_zero = true, at++;
    if (at < end && *at == '#')
        s.alternate = true, at++;
    if (!filled && at < end && *at == '0') {
        s.fill = '0';
        if (s.align == 0 && usual_align == '>')
            s.align = '=';
        at++;
    }
    if (at < end && isdigit((unsigned char)*at))
        for (s.width = 0; at < end && isdigit((unsigned char)*at); at++)
            s.width = s.width * 10 + (*at - '0');
    if (at < end && (*at == ',' || *at == '_'))
        s.group = *at++;
    if (at < end && *at == '.') {
        at++;
        for (s.precision = 0; at < end && isdigit((unsigned char)*at); at++)
            s.precision = s.precision * 10 + (*at - '0');
    }
    if (at < end)
        s.type = *at;
    if (s.align == 0)
        s.align = usual_align;
    return s;
}

static ref no_memory(void) {
    simple_fail("OutOfMemory", "out of memory");
    return 0;
}

/* A text of `size` bytes and `chars` characters, filled up to the width. `head` bytes stay in front of
 * what `=` fills with. */
static ref pad(const struct spec *s, const char *data, size_t size, int64_t chars, size_t head) {
    int64_t missing = s->width > chars ? s->width - chars : 0;
    int64_t before = s->align == '>' || s->align == '=' ? missing : s->align == '^' ? missing / 2 : 0;
    char fill[4];
    size_t unit = simple_put_char(fill, s->fill);
    if (s->align != '=')
        head = 0;
    ref text = simple_new_text_counted(size + (size_t)missing * unit, chars + missing);
    if (text == 0)
        return 0;
    char *to = text_data(text);
    memcpy(to, data, head);
    to += head;
    for (int64_t i = 0; i < before; i++, to += unit)
        memcpy(to, fill, unit);
    memcpy(to, data + head, size - head);
    to += size - head;
    for (int64_t i = before; i < missing; i++, to += unit)
        memcpy(to, fill, unit);
    return text;
}

/* A number: sign or prefix, digits that may be grouped, and the rest, from the point on. */
static ref pad_number(const struct spec *s, const char *head, const char *digits, size_t count, const char *rest) {
    size_t head_size = strlen(head), rest_size = strlen(rest);
    size_t unit = strchr("boxX", s->type) != NULL && s->type != 0 ? 4 : 3;
    size_t wanted = count;
    if (s->group != 0 && count > 0 && s->fill == '0' && s->align == '=') {
        /* Zeros count as digits: as many as fill the width, with separators between them. */
        int64_t room = s->width - (int64_t)(head_size + rest_size);
        while ((int64_t)(wanted + (wanted - 1) / unit) < room)
            wanted++;
    }
    size_t separators = s->group != 0 && wanted > 0 ? (wanted - 1) / unit : 0;
    char *text = malloc(head_size + wanted + separators + rest_size + 1), *to = text;
    if (text == NULL)
        return no_memory();
    memcpy(to, head, head_size);
    to += head_size;
    for (size_t i = wanted; i > 0; i--) {
        *to++ = i > count ? '0' : digits[count - i];
        if (separators > 0 && i > 1 && (i - 1) % unit == 0)
            *to++ = s->group;
    }
    memcpy(to, rest, rest_size);
    size_t size = (size_t)(to - text) + rest_size;
    ref result = pad(s, text, size, (int64_t)size, head_size);
    free(text);
    return result;
}

static ref format_float(double x, struct spec s);

static ref format_integer(uint64_t magnitude, bool negative, ref spec) {
    struct spec s = parse_spec(spec, '>');
    if (s.type != 0 && strchr("eEfFgG%", s.type) != NULL)
        return format_float(negative ? -(double)magnitude : (double)magnitude, s);
    if (s.type == 'c') {
        char text[4];
        if (negative || magnitude > 0x10FFFF) {
            /* What int's own conversion to C's int says comes first. */
            bool fits = magnitude <= (negative ? UINT64_C(1) << 63 : INT64_MAX);
            simple_fail("ConversionError", "cannot format an integer: %s",
                        fits ? "%c arg not in range(0x110000)" : "Python int too large to convert to C long");
            return 0;
        }
        size_t size = simple_put_char(text, (uint32_t)magnitude);
        return pad(&s, text, size, 1, 0);
    }
    unsigned base = s.type == 'b' ? 2 : s.type == 'o' ? 8 : s.type == 'x' || s.type == 'X' ? 16 : 10;
    char digits[64], head[4];
    size_t count = 0;
    do
        digits[sizeof digits - ++count] = (s.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[magnitude % base];
    while ((magnitude /= base) != 0);
    size_t at = 0;
    if (negative || s.sign == '+' || s.sign == ' ')
        head[at++] = negative ? '-' : s.sign;
    if (s.alternate && base != 10) {
        head[at++] = '0';
        head[at++] = s.type;
    }
    head[at] = 0;
    return pad_number(&s, head, digits + sizeof digits - count, count, "");
}

ref rt_format_i64(int64_t x, ref spec) {
    return format_integer(x < 0 ? -(uint64_t)x : (uint64_t)x, x < 0, spec);
}

ref rt_format_u64(uint64_t x, ref spec) { return format_integer(x, false, spec); }

/* `count` digits of a finite float (the shortest that read back where that is 0), with an exponent from the
 * power `last_plain` of ten on. `alternate` keeps zeros at the end, and always has a point. */
static char *general_float(double x, int count, int last_plain, bool alternate, const char *always) {
    char few[64], *many = NULL, *text;
    if (count > 0 && asprintf(&many, "%.*e", count - 1, x) < 0)
        return NULL;
    struct digits d = count > 0 ? read_digits(many, alternate) : shortest(x, few);
    if ((text = malloc((size_t)d.count + 400)) != NULL) {
        text[put_digits(text, &d, last_plain, always)] = 0;
        if (alternate && strchr(text, '.') == NULL) { /* 1e+20 is 1.e+20 */
            memmove(text + 2, text + 1, strlen(text));
            text[1] = '.';
        }
    }
    free(many);
    return text;
}

/* The magnitude of a float, to be freed; NULL: no memory. */
static char *float_magnitude(double x, const struct spec *s) {
    bool upper = s->type == 'E' || s->type == 'F' || s->type == 'G';
    int precision = s->precision > INT32_MAX ? INT32_MAX : (int)s->precision;
    if (isnan(x) || isinf(x))
        return strdup(isnan(x) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"));
    if (s->type == 0 && precision < 0)
        return general_float(x, 0, 16, s->alternate, ".0");
    int count = precision < 0 ? 6 : precision == 0 ? 1 : precision;
    /* What would look like a whole number gets `.0`, or an exponent one digit earlier. */
    if (s->type == 0)
        return general_float(x, count, count - 1, s->alternate, ".0");
    char *text = NULL, format[8];
    if (s->type == 'g' || s->type == 'G' || s->type == 'n') {
        text = general_float(x, count, count, s->alternate, s->alternate ? "." : "");
        char *mark = text != NULL && upper ? strchr(text, 'e') : NULL;
        if (mark != NULL)
            *mark = 'E';
        return text;
    }
    snprintf(format, sizeof format, "%%%s.*%c", s->alternate ? "#" : "", strchr("%F", s->type) ? 'f' : s->type);
    return asprintf(&text, format, precision < 0 ? 6 : precision, x) < 0 ? NULL : text;
}

static bool is_zero(const char *magnitude) {
    for (; *magnitude != 0 && *magnitude != 'e' && *magnitude != 'E'; magnitude++)
        if (*magnitude != '0' && *magnitude != '.')
            return false;
    return true;
}

static ref format_float(double x, struct spec s) {
    char *text = float_magnitude(s.type == '%' ? fabs(x * 100) : fabs(x), &s);
    if (text == NULL)
        return no_memory();
    bool negative = signbit(x) && !isnan(x) && !(s.no_minus_zero && is_zero(text));
    char head[2] = {negative ? '-' : s.sign == '+' || s.sign == ' ' ? s.sign : 0, 0};
    size_t count = strspn(text, "0123456789"), size = strlen(text);
    char *rest = malloc(size + 2);
    ref result = 0;
    if (rest == NULL) {
        result = no_memory();
    } else {
        sprintf(rest, "%s%s", text + count, s.type == '%' ? "%" : "");
        result = pad_number(&s, head, text, count, rest);
    }
    free(rest);
    free(text);
    return result;
}

ref rt_format_f64(double x, ref spec) { return format_float(x, parse_spec(spec, '>')); }

ref rt_format_text(ref text, ref spec) {
    struct spec s = parse_spec(spec, '<');
    const char *data = text_data(text);
    size_t size = text_size(text);
    int64_t chars = WORD(text + ABI_TEXT_CHARS);
    if (s.precision >= 0 && s.precision < chars) {
        uint32_t code;
        size_t at = 0;
        for (chars = 0; chars < s.precision; chars++) {
            size_t taken = simple_next_char(data + at, size - at, &code);
            at += taken ? taken : 1;
        }
        size = at;
    }
    return pad(&s, data, size, chars, 0);
}

/* --- Text as numbers ------------------------------------------------------------------------------ */

static bool is_space(uint32_t code) {
    return (code >= 9 && code <= 13) || (code >= 28 && code <= 32) || code == 0x85 || code == 0xA0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000;
}

#ifdef PROGRAM_DIGITS

/* The value of a decimal digit of any script, -1 where it is none. */
static int digit_value(uint32_t code) {
    for (size_t i = 0; i < UNICODE_ZEROS && unicode_zeros[i] <= code; i++)
        if (code - unicode_zeros[i] < 10)
            return (int)(code - unicode_zeros[i]);
    return -1;
}

/* The text in ASCII, to be freed: without white space around it, digits of any script as 0 to 9, other
 * characters as `?`; single underscores between digits are left out. NULL: misplaced ones, or no memory. */
static char *plain_number(ref text) {
    const char *data = text_data(text);
    size_t size = text_size(text), length = 0, at = 0;
    char *plain = malloc(size + 1);
    bool spaced = false, after_digit = false;
    while (plain != NULL && at < size) {
        uint32_t code = 0;
        size_t taken = simple_next_char(data + at, size - at, &code);
        at += taken ? taken : 1;
        int digit = code < 0x80 ? (code >= '0' && code <= '9' ? (int)code - '0' : -1) : digit_value(code);
        bool more = at < size;
        if (is_space(code)) {
            spaced = length > 0;
            continue;
        }
        uint32_t next = 0;
        if (code == '_' && after_digit && !spaced && more && simple_next_char(data + at, size - at, &next) > 0 &&
            (next < 0x80 ? next >= '0' && next <= '9' : digit_value(next) >= 0))
            continue;
        if (spaced || code == '_') {
            free(plain);
            return NULL;
        }
        after_digit = digit >= 0;
        plain[length++] = digit >= 0 ? (char)('0' + digit) : code > 0 && code < 0x80 ? (char)code : '?';
    }
    if (plain != NULL)
        plain[length] = 0;
    return plain;
}

uint8_t rt_text_to_f64(ref text, ref result) {
    char *plain = plain_number(text), *end = plain;
    bool found = false;
    if (plain != NULL) {
        const char *word = plain + (*plain == '+' || *plain == '-');
        bool named = strcasecmp(word, "nan") == 0 || strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0;
        /* strtod also knows hexadecimal numbers and nan(…), which Python does not. */
        if (named || word[strspn(word, "0123456789.eE+-")] == 0) {
            double value = strtod(plain, &end);
            found = end != plain && *end == 0;
            if (found)
                memcpy((void *)(uintptr_t)WORD(result + ABI_ARRAY_DATA), &value, sizeof value);
        }
    }
    free(plain);
    return found;
}

ref rt_text_normal_digits(ref text) {
    char *plain = plain_number(text);
    ref result = 0;
    if (plain != NULL) {
        char *at = plain + (*plain == '+' || *plain == '-');
        size_t count = strlen(at);
        if (count > 0 && strspn(at, "0123456789") == count && count <= 4300) {
            while (count > 1 && *at == '0')
                at++, count--;
            if (*plain == '-' && strcmp(at, "0") != 0)
                *--at = '-', count++;
            result = simple_new_text(at, count);
        }
    }
    free(plain);
    return result;
}

#endif
