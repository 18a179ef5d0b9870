/* Fills in people's messages from the table in msg.def. */
#include "common/msg.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

#define DEFAULT_PORT "10022" /* profile.h has it as a number */

/* What to do, in both languages: as a command, and in the windows. */
static const struct deed {
    const char *word;
    const char *command[2], *window[2];
} deeds[] = {
#define MSG_DO(word, command_en, command_ja, window_en, window_ja)                                 \
    {word, {command_en, command_ja}, {window_en, window_ja}},
#include "common/msg_do.def"
#undef MSG_DO
};

static atomic_bool speaks_of_windows;

void msg_speak_of_windows(void)
{
    atomic_store(&speaks_of_windows, true);
}

struct row {
    const char *name;
    struct msg_entry text[2]; /* English, Japanese */
};

static const struct row rows[MSG_COUNT] = {
    [MSG_NONE] = {"MSG_NONE", {{"", "", "", ""}, {"", "", "", ""}}},
#define MSG(id, code, title_en, title_ja, cause_en, cause_ja, remedy_en, remedy_ja)                \
    [id] = {#id, {{code, title_en, cause_en, remedy_en}, {code, title_ja, cause_ja, remedy_ja}}},
#include "common/msg.def"
#undef MSG
};

/* Rows of the table; an id from elsewhere (a file, a cast) reads as MSG_NONE. */
static const struct row *row_of(enum msg_id id)
{
    return (unsigned)id < MSG_COUNT ? &rows[id] : &rows[MSG_NONE];
}

const struct msg_entry *msg_entry(enum msg_id id, enum i18n_lang lang)
{
    return &row_of(id)->text[lang == LANG_JA ? 1 : 0];
}

static bool is_word(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && memcmp(word, text, len) == 0;
}

/* The port in "host:port"; an address that names none, or that nobody knows, has the usual one. */
static const char *port_of(const char *server)
{
    const char *colon = server != NULL ? strrchr(server, ':') : NULL;

    return colon != NULL && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0'
               ? colon + 1
               : DEFAULT_PORT;
}

/* The value of the place-holder "{word}", or NULL if `word` is none. */
static const char *value_of(const struct msg_args *args, const char *word, size_t len)
{
    const struct {
        const char *word;
        const char *value;
    } table[] = {
        {"server", args->server}, {"user", args->user},
        {"port", args->port},     {"program", args->program},
        {"pid", args->pid},       {"target", args->target},
        {"detail", args->detail}, {"seconds", args->seconds},
        {"name", args->name},     {"gateway_port", port_of(args->server)},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (is_word(table[i].word, word, len))
            return table[i].value ? table[i].value : "?";
    return NULL;
}

/* What the place-holder "{do_...}" stands for, or NULL if `word` is none. */
static const char *deed_of(const char *word, size_t len, enum i18n_lang lang)
{
    size_t i = lang == LANG_JA ? 1 : 0;

    for (size_t d = 0; d < sizeof(deeds) / sizeof(deeds[0]); d++)
        if (is_word(deeds[d].word, word, len))
            return atomic_load(&speaks_of_windows) ? deeds[d].window[i] : deeds[d].command[i];
    return NULL;
}

struct sink {
    char *dst;
    size_t len;
};

/* Appends whole characters while they fit. */
static void put(struct sink *s, const char *text, size_t len)
{
    size_t room = MSG_TEXT_MAX - 1 - s->len;

    if (len > room)
        len = utf8_trim(text, room);
    memcpy(s->dst + s->len, text, len);
    s->len += len;
}

/* Appends a value, which may come from a peer: what would disturb a terminal becomes '?'. */
static void put_value(struct sink *s, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        uint32_t cp;
        size_t n = utf8_decode(text, len, &cp);

        if (n > 0 && utf8_printable(cp))
            put(s, text, n);
        else
            put(s, "?", 1);
        text += n > 0 ? n : 1;
        len -= n > 0 ? n : 1;
    }
}

/*
 * Appends the pattern with its place-holders filled in; those of values alone where `deeds_too` is false.
 * Without `args` values stay place-holders.
 */
static void fill(struct sink *s, const char *pattern, enum i18n_lang lang,
                 const struct msg_args *args, bool deeds_too)
{
    while (*pattern != '\0') {
        size_t plain = strcspn(pattern, "{"), word;
        const char *value = NULL, *deed = NULL;

        put(s, pattern, plain);
        pattern += plain;
        if (*pattern == '\0')
            break;
        word = strcspn(pattern + 1, "}");
        if (pattern[1 + word] == '}') {
            value = args ? value_of(args, pattern + 1, word) : NULL;
            deed = deeds_too ? deed_of(pattern + 1, word, lang) : NULL;
        }
        if (value)
            put_value(s, value);
        else if (deed)
            fill(s, deed, lang, args, false);
        else
            put(s, "{", 1);
        pattern += value || deed ? word + 2 : 1;
    }
}

static void fill_in(const char *pattern, enum i18n_lang lang, const struct msg_args *args,
                    char dst[MSG_TEXT_MAX])
{
    struct sink s = {.dst = dst};

    fill(&s, pattern, lang, args, true);
    dst[s.len] = '\0';
}

void msg_format(enum msg_id id, enum i18n_lang lang, const struct msg_args *args,
                struct msg_text *out)
{
    static const struct msg_args none;
    const struct msg_entry *e = msg_entry(id, lang);

    out->code = e->code;
    out->title = e->title;
    fill_in(e->cause, lang, args ? args : &none, out->cause);
    fill_in(e->remedy, lang, args ? args : &none, out->remedy);
}

void msg_describe(enum msg_id id, enum i18n_lang lang, struct msg_text *out)
{
    const struct msg_entry *e = msg_entry(id, lang);

    out->code = e->code;
    out->title = e->title;
    fill_in(e->cause, lang, NULL, out->cause);
    fill_in(e->remedy, lang, NULL, out->remedy);
}

const char *msg_name(enum msg_id id)
{
    return row_of(id)->name;
}

enum msg_id msg_find(const char *name)
{
    for (int id = 0; id < MSG_COUNT; id++)
        if (strcmp(rows[id].name, name) == 0)
            return (enum msg_id)id;
    return MSG_NONE;
}
