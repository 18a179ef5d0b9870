/* tray.ini of prefs.h by common/conf, for every system alike; autostart has files of its own. */
#include "client/tray/prefs.h"

#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/i18n.h"
#include "common/os.h"

#define TEXT_MAX 1024

static const char *const notice_words[] = {"all", "errors", "none"};
static const char *const language_words[] = {"auto", "ja", "en"};

/* The index of `value` among three words. */
static int pick(const char *const words[3], const char *value, int *out, struct fault *f)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return 0;
        }
    return fault_set(f, PRA_EINVAL, "'%.80s' is none of %s, %s, %s", value, words[0], words[1],
                     words[2]);
}

static int set_notices(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int i = 0, rc = pick(notice_words, value, &i, f);

    p->notices = (enum tray_notices)i;
    return rc;
}

static int set_language(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int i = 0, rc = pick(language_words, value, &i, f);

    p->language = (enum prefs_language)i;
    return rc;
}

static int set_connect(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int on = 0, rc = conf_parse_bool(value, &on, f);

    p->connect_at_start = on != 0;
    return rc;
}

static const struct conf_key keys[] = {
    {"tray", "notices", set_notices},
    {"tray", "language", set_language},
    {"tray", "connect_at_start", set_connect},
    {NULL, NULL, NULL},
};

/* tray.ini stands beside config.ini. */
static int file_name(const struct paths *paths, char dst[OS_PATH_MAX])
{
    char folder[OS_PATH_MAX];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", paths->config_file);
    slash = strrchr(folder, '/');
    if (slash == NULL)
        slash = strrchr(folder, '\\');
    if (slash == NULL)
        return PRA_ETOOBIG;
    *slash = '\0';
    return os_path_join(dst, folder, "tray.ini");
}

int prefs_load(const struct paths *paths, struct prefs *p, struct fault *f)
{
    char path[OS_PATH_MAX];
    struct prefs read = {0};
    int rc = file_name(paths, path);

    memset(p, 0, sizeof(*p));
    if (rc == 0)
        rc = conf_load(path, keys, &read, f);
    if (rc == 0)
        *p = read;
    return rc == PRA_ENOENT ? 0 : rc;
}

int prefs_save(const struct paths *paths, const struct prefs *p, struct fault *f)
{
    char path[OS_PATH_MAX], text[TEXT_MAX];
    int n = snprintf(text, sizeof(text),
                     "; Written by pra-tray's options.\n"
                     "[tray]\nnotices = %s\nlanguage = %s\nconnect_at_start = %s\n",
                     notice_words[p->notices], language_words[p->language],
                     p->connect_at_start ? "yes" : "no");
    int rc = file_name(paths, path);

    if (rc != 0)
        return fault_set(f, rc, "%s", err_text(rc));
    return os_file_replace(path, text, (size_t)n, 0600, f);
}

void prefs_apply_language(const struct prefs *p)
{
    if (p->language == PREFS_LANGUAGE_AUTO)
        i18n_init();
    else
        i18n_set(p->language == PREFS_LANGUAGE_JA ? LANG_JA : LANG_EN);
}
