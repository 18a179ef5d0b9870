/*
 * INI files. inih parses lines; what it would let pass is refused around it: it reads a line
 * longer than its buffer as two lines and calls back for each, says nothing of a section without
 * keys or of text behind a section's bracket, and goes on after an error. So lines come from a
 * reader of ours that counts them and knows the limit, and the first error ends the file.
 *
 * Debian's inih takes its limits from global variables; conf_load() belongs to the main thread.
 */
#include "common/conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "common/log.h"
#include "common/os.h"
#include "common/utf8.h"

#define KEYS_MAX    256 /* rows of a caller's table */
#define EXCERPT_MAX 64  /* of a word of the file, in an error */

struct reading {
    const char *path;
    const char *rest; /* what the reader has not handed out yet */
    size_t rest_len;
    int line;
    const struct conf_key *keys;
    unsigned seen[KEYS_MAX]; /* line of each key, 0 = not yet */
    void *target;
    struct fault *fault;
    int rc;
};

/* Notes the first error with its place; nothing more is read. */
static void refuse(struct reading *r, int rc, const char *what)
{
    if (r->rc != 0)
        return;
    r->rc = fault_set(r->fault, rc, "%s:%d: %s", r->path, r->line, what);
    r->rest_len = 0;
}

/* Checks a line that begins with '[': a section that is known, and nothing but a comment behind. */
static void check_section(struct reading *r, const char *line)
{
    char text[FAULT_TEXT_MAX];
    char shown[EXCERPT_MAX];
    size_t len = strcspn(line + 1, "]\n");
    const char *behind = line + 1 + len;

    if (*behind == ']') {
        behind += 1 + strspn(behind + 1, " \t\r\n");
        if (*behind != '\0' && *behind != ';' && *behind != '#') {
            refuse(r, PRA_EINVAL, "something stands behind the ']' of the section");
            return;
        }
        for (size_t i = 0; r->keys[i].section; i++)
            if (strlen(r->keys[i].section) == len && memcmp(r->keys[i].section, line + 1, len) == 0)
                return;
    }
    log_escape(shown, sizeof(shown), line + 1, len);
    snprintf(text, sizeof(text), "unknown section [%s]", shown);
    refuse(r, PRA_EINVAL, text);
}

/* Bytes of the newline, with the carriage return in front of it. */
static size_t line_end(const char *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\n')
        return 0;
    return len > 1 && line[len - 2] == '\r' ? 2 : 1;
}

/* What would move the cursor of whoever is shown the value. */
static bool has_controls(const char *line, size_t len)
{
    for (size_t i = 0; i < len - line_end(line, len); i++) {
        unsigned char c = (unsigned char)line[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* inih's reader: the next line with its newline, at most `cap` - 1 bytes. */
static char *next_line(char *dst, int cap, void *stream)
{
    struct reading *r = stream;
    const char *newline;
    const char *first;
    size_t len;

    if (r->rest_len == 0)
        return NULL;
    r->line++;
    newline = memchr(r->rest, '\n', r->rest_len);
    len = newline ? (size_t)(newline - r->rest) + 1 : r->rest_len;
    if (len > CONF_LINE_MAX + line_end(r->rest, len) || cap < 1 || len > (size_t)cap - 1) {
        char text[64];

        snprintf(text, sizeof(text), "the line is longer than %d bytes", CONF_LINE_MAX);
        refuse(r, PRA_EINVAL, text);
        return NULL;
    }
    if (memchr(r->rest, '\0', len) != NULL || !utf8_valid(r->rest, len)) {
        refuse(r, PRA_EINVAL, "the line is not UTF-8 text");
        return NULL;
    }
    if (has_controls(r->rest, len)) {
        refuse(r, PRA_EINVAL, "the line has a control character");
        return NULL;
    }
    memcpy(dst, r->rest, len);
    dst[len] = '\0';
    r->rest += len;
    r->rest_len -= len;
    first = dst + strspn(dst, " \t\r");
    if (*first == '[')
        check_section(r, first);
    return r->rc == 0 ? dst : NULL;
}

static void refuse_key(struct reading *r, const char *section, const char *name)
{
    char text[FAULT_TEXT_MAX];
    char shown[EXCERPT_MAX];

    log_escape(shown, sizeof(shown), name, strlen(name));
    if (section[0] == '\0')
        snprintf(text, sizeof(text), "key '%s' stands in front of the first [section]", shown);
    else
        snprintf(text, sizeof(text), "[%s] has no key '%s'", section, shown);
    refuse(r, PRA_EINVAL, text);
}

static void take(struct reading *r, const char *section, const char *name, const char *value)
{
    char text[FAULT_TEXT_MAX];
    size_t i = 0;
    int rc;

    while (r->keys[i].section &&
           (strcmp(r->keys[i].section, section) != 0 || strcmp(r->keys[i].key, name) != 0))
        i++;
    if (!r->keys[i].section) {
        refuse_key(r, section, name);
        return;
    }
    if (i >= KEYS_MAX) {
        refuse(r, PRA_EFULL, "the program's table of keys is too long");
        return;
    }
    if (r->seen[i] != 0) {
        snprintf(text, sizeof(text), "[%s] %s: was given in line %u already", section, name,
                 r->seen[i]);
        refuse(r, PRA_EINVAL, text);
        return;
    }
    r->seen[i] = (unsigned)r->line;
    rc = r->keys[i].set(r->target, value, r->fault);
    if (rc != 0) {
        r->rc = fault_wrap(r->fault, rc, "%s:%d: [%s] %s", r->path, r->line, section, name);
        r->rest_len = 0;
    }
}

/*
 * Debian 13's library passes its line number as well, while its header tells so only with the flags
 * of pkg-config; to the calling convention an argument too many is all the same.
 */
#if INI_HANDLER_LINENO
static int on_pair(void *user, const char *section, const char *name, const char *value, int line)
{
    (void)line;
#else
static int on_pair(void *user, const char *section, const char *name, const char *value)
{
#endif
    struct reading *r = user;

    if (r->rc == 0)
        take(r, section, name, value ? value : "");
    return r->rc == 0;
}

int conf_load(const char *path, const struct conf_key *keys, void *target, struct fault *f)
{
    struct fault own = {0};
    struct reading r = {.path = path, .keys = keys, .target = target, .fault = f ? f : &own};
    char *text;
    int rc = os_file_read(path, CONF_FILE_MAX, &text, &r.rest_len, f);

    if (rc != 0)
        return rc == PRA_ETOOBIG ? PRA_EINVAL : rc;
    r.rest = text;
    if (r.rest_len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* as editors on Windows write */
        r.rest += 3;
        r.rest_len -= 3;
    }
    ini_max_line = CONF_LINE_MAX + 3;
    ini_use_stack = true;
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;
    rc = ini_parse_stream(next_line, &r, on_pair, &r);
    if (r.rc == 0 && rc != 0)
        refuse(&r, PRA_EINVAL, "is neither '[section]', 'key = value' nor a comment");
    free(text);
    return r.rc;
}

int conf_parse_bool(const char *value, int *out, struct fault *f)
{
    static const char *const words[2][4] = {{"no", "false", "off", "0"},
                                            {"yes", "true", "on", "1"}};

    for (int is = 0; is < 2; is++)
        for (size_t i = 0; i < 4; i++)
            if (strcmp(value, words[is][i]) == 0) {
                *out = is;
                return 0;
            }
    return fault_set(f, PRA_EINVAL, "is neither 'yes' nor 'no'");
}

struct unit {
    char letter;
    long factor;
};

/* A whole number and, where `units` are given, the letter of one behind it. */
static int parse_scaled(const char *value, const struct unit *units, long min, long max, long *out,
                        struct fault *f)
{
    char *end;
    long number;
    long factor = 1;

    errno = 0;
    number = strtol(value, &end, 10);
    /* strtol() alone would take leading spaces and a plus sign. */
    if (end == value || !((value[0] >= '0' && value[0] <= '9') || value[0] == '-'))
        return fault_set(f, PRA_EINVAL, "is no number");
    for (; units && units->letter != '\0' && *end != '\0'; units++)
        if (*end == units->letter) {
            factor = units->factor;
            end++;
            break;
        }
    if (*end != '\0')
        return fault_set(f, PRA_EINVAL, "has something unknown behind the number");
    if (errno == ERANGE || __builtin_mul_overflow(number, factor, &number) || number < min ||
        number > max)
        return fault_set(f, PRA_EINVAL, "is not within %ld to %ld", min, max);
    *out = number;
    return 0;
}

int conf_parse_number(const char *value, long min, long max, long *out, struct fault *f)
{
    return parse_scaled(value, NULL, min, max, out, f);
}

int conf_parse_duration(const char *value, long min, long max, long *seconds, struct fault *f)
{
    static const struct unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {0, 0}};

    return parse_scaled(value, units, min, max, seconds, f);
}

int conf_parse_size(const char *value, long min, long max, long *bytes, struct fault *f)
{
    static const struct unit units[] = {
        {'K', 1024}, {'M', 1024 * 1024}, {'G', 1024L * 1024 * 1024}, {0, 0}};

    return parse_scaled(value, units, min, max, bytes, f);
}
