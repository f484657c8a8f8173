/* Text objects made from bytes, names of files, upper and lower case. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "simple.h"
#include "unicode.h"

int64_t simple_count_chars(const char *data, size_t size) {
    int64_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)data[i] & 0xC0) != 0x80;
    return count;
}

ref simple_new_text(const char *data, size_t size) {
    ref text = simple_new_text_counted(size, simple_count_chars(data, size));
    if (text != 0)
        memcpy(text_data(text), data, size);
    return text;
}

size_t simple_put_char(char *to, uint32_t code) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    for (size_t i = more; i > 0; i--) {
        to[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    to[0] = (char)(lead[more] | code);
    return more + 1;
}

/* How many bytes from `data` on begin a character: all of it (`*whole`), or as much as might have been one. */
static size_t sequence(const unsigned char *data, size_t size, bool surrogates, bool *whole) {
    unsigned char first = data[0];
    size_t wanted = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    *whole = false;
    if (wanted == 0)
        return 1;
    for (size_t i = 1; i < wanted; i++) {
        unsigned char low = 0x80, high = 0xBF;
        if (i == 1 && first == 0xE0)
            low = 0xA0;
        if (i == 1 && first == 0xED && !surrogates)
            high = 0x9F;
        if (i == 1 && first == 0xF0)
            low = 0x90;
        if (i == 1 && first == 0xF4)
            high = 0x8F;
        if (i >= size || data[i] < low || data[i] > high)
            return i;
    }
    *whole = true;
    return wanted;
}

/* The next character of the UTF-8 form of a text, which may hold surrogates. */
size_t simple_next_char(const char *data, size_t size, uint32_t *code) {
    const unsigned char *bytes = (const unsigned char *)data;
    bool whole;
    size_t length = sequence(bytes, size, true, &whole);
    if (!whole)
        return 0;
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    *code = bytes[0] & masks[length];
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | (bytes[i] & 0x3F);
    return length;
}

bool simple_is_utf8(const char *data, size_t size) {
    bool whole = true;
    for (size_t at = 0; at < size && whole;)
        at += sequence((const unsigned char *)data + at, size - at, false, &whole);
    return whole;
}

/* Write to `to` what `data` stands for, where that is not NULL; returns the size. What is not UTF-8 becomes
 * U+FFFD, once for each part that might have begun a character; or each byte of it a lone surrogate. */
static size_t decode(const char *data, size_t size, char *to, bool as_surrogates) {
    char scratch[4];
    size_t result = 0;
    for (size_t at = 0; at < size;) {
        bool whole;
        size_t length = sequence((const unsigned char *)data + at, size - at, false, &whole);
        if (whole) {
            if (to != NULL)
                memcpy(to + result, data + at, length);
            result += length;
        } else {
            if (as_surrogates)
                length = 1;
            uint32_t code = as_surrogates ? 0xDC00 + (unsigned char)data[at] : 0xFFFD;
            result += simple_put_char(to != NULL ? to + result : scratch, code);
        }
        at += length;
    }
    return result;
}

static ref decoded(const char *data, size_t size, bool as_surrogates) {
    size_t length = decode(data, size, NULL, as_surrogates);
    ref text = simple_new_text_counted(length, 0);
    if (text != 0) {
        decode(data, size, text_data(text), as_surrogates);
        WORD(text + ABI_TEXT_CHARS) = simple_count_chars(text_data(text), length);
    }
    return text;
}

ref simple_decode_text(const char *data, size_t size) { return decoded(data, size, false); }

ref simple_decode_name(const char *data, size_t size) { return decoded(data, size, true); }

char *simple_encode_name(ref text) {
    const char *data = text_data(text);
    size_t size = text_size(text), length = 0;
    char *name = memchr(data, 0, size) != NULL ? NULL : malloc(size + 1);
    for (size_t at = 0; name != NULL && at < size;) {
        uint32_t code = 0;
        size_t taken = simple_next_char(data + at, size - at, &code);
        if (taken == 0)
            break;
        if (code >= 0xDC80 && code <= 0xDCFF)
            name[length++] = (char)(code - 0xDC00);
        else
            length += simple_put_char(name + length, code);
        at += taken;
    }
    if (name != NULL)
        name[length] = 0;
    return name;
}

ref rt_text_from_c(int64_t address) {
    if (address != 0)
        return simple_decode_text((const char *)(uintptr_t)address, strlen((const char *)(uintptr_t)address));
    simple_fail("NilError", "a C function returned no text (NULL)");
    return 0;
}

ref rt_optional_text_from_c(int64_t address) { return address != 0 ? rt_text_from_c(address) : 0; }

/* --- Upper and lower case (tables: unicode.h, made when the program was built) ---------------------- */

#ifdef PROGRAM_CASES

static const struct unicode_case *find_case(const struct unicode_case *table, size_t count, uint32_t code) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low].code == code ? &table[low] : NULL;
}

static bool in_ranges(const uint32_t (*ranges)[2], size_t count, uint32_t code) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle][1] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low][0] <= code;
}

/* Is the next character before (`step` -1) or after `at` that case does not ignore one that has case? */
static bool has_case_beside(const uint32_t *codes, int64_t count, int64_t at, int step) {
    for (at += step; at >= 0 && at < count; at += step)
        if (!in_ranges(unicode_ignorable, UNICODE_IGNORABLE, codes[at]))
            return in_ranges(unicode_cased, UNICODE_CASED, codes[at]);
    return false;
}

/* The text with each character replaced by what `table` has for it. */
static ref map_case(ref text, const struct unicode_case *table, size_t table_size, bool lower) {
    int64_t count = WORD(text + ABI_TEXT_CHARS), n = 0;
    size_t size = text_size(text), length = 0;
    uint32_t *codes = malloc((size_t)count * sizeof *codes + 1);
    char *result = malloc(size * 3 * 3 + 1);
    if (codes == NULL || result == NULL) {
        simple_fail("OutOfMemory", "out of memory");
    } else {
        for (size_t at = 0; at < size && n < count;) {
            size_t taken = simple_next_char(text_data(text) + at, size - at, &codes[n++]);
            at += taken ? taken : 1;
        }
        for (int64_t i = 0; i < n; i++) {
            const struct unicode_case *found = find_case(table, table_size, codes[i]);
            if (lower && codes[i] == 0x3A3) /* a sigma at the end of a word */
                length += simple_put_char(result + length, has_case_beside(codes, n, i, -1) &&
                                                           !has_case_beside(codes, n, i, 1) ? 0x3C2 : 0x3C3);
            else if (found == NULL)
                length += simple_put_char(result + length, codes[i]);
            else
                for (int part = 0; part < 3 && found->to[part] != 0; part++)
                    length += simple_put_char(result + length, found->to[part]);
        }
    }
    ref mapped = simple_failed() ? 0 : simple_new_text(result, length);
    free(codes);
    free(result);
    return mapped;
}

ref rt_text_upper(ref text) { return map_case(text, unicode_upper, UNICODE_UPPER, false); }

ref rt_text_lower(ref text) { return map_case(text, unicode_lower, UNICODE_LOWER, true); }

#endif
