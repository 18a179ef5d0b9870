/* The language of people's text: chosen once in main(), read anywhere. */
#include "common/i18n.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

static atomic_int chosen = LANG_EN;

void i18n_init(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);

        if (!value || value[0] == '\0')
            continue;
        /* "ja", "ja_JP.UTF-8", "ja.UTF-8", but not another language whose code begins so. */
        i18n_set(strncmp(value, "ja", 2) == 0 && strchr("_.@", value[2]) != NULL ? LANG_JA
                                                                                 : LANG_EN);
        return;
    }
    i18n_set(os_prefers_japanese() ? LANG_JA : LANG_EN);
}

void i18n_set(enum i18n_lang lang)
{
    atomic_store(&chosen, (int)lang);
}

enum i18n_lang i18n_lang(void)
{
    return (enum i18n_lang)atomic_load(&chosen);
}

const char *tr(const char *en, const char *ja)
{
    return i18n_lang() == LANG_JA ? ja : en;
}
