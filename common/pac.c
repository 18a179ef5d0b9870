/* pac.h */
#include "common/pac.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

/* Of the language alone, without the helper functions that browsers have: so a test can run it. */
#define PAC_TEXT                                                                                   \
    "// Made by PRA: the company's names go through PRA, everything else does not.\n"              \
    "function FindProxyForURL(url, host) {\n"                                                      \
    "    var names = [%s];\n"                                                                      \
    "    host = host.toLowerCase().replace(/\\.$/, \"\");\n"                                       \
    "    if (host === \"localhost\" || host.indexOf(\":\") >= 0)\n"                                \
    "        return \"DIRECT\";\n"                                                                 \
    "    if (host.indexOf(\".\") < 0)\n"                                                           \
    "        return \"PROXY %s\";\n"                                                               \
    "    for (var i = 0; i < names.length; i++) {\n"                                               \
    "        var at = host.length - names[i].length;\n"                                            \
    "        if (at >= 0 && host.substring(at) === names[i] && (at === 0 || host.charAt(at - 1) "  \
    "=== \".\"))\n"                                                                                \
    "            return \"PROXY %s\";\n"                                                           \
    "    }\n"                                                                                      \
    "    return \"DIRECT\";\n"                                                                     \
    "}\n"

bool pac_name_valid(const char *name)
{
    size_t len = strlen(name);
    bool letter = false;
    char before = '.';

    if (len == 0 || len > PAC_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool good = isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '_';

        if (!good && (name[i] != '.' || before == '.'))
            return false;
        letter = letter || isalpha((unsigned char)name[i]);
        before = name[i];
    }
    return letter && before != '.';
}

int pac_write(const char *proxy, const char *const *names, size_t n, char *dst, size_t cap)
{
    char list[PAC_NAMES_MAX * (PAC_NAME_MAX + 4) + 1] = "";
    size_t at = 0;
    int len;

    if (n > PAC_NAMES_MAX)
        return PRA_EIO;
    for (size_t i = 0; i < n; i++) {
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s\"", i > 0 ? ", " : "");
        for (const char *c = names[i]; *c != '\0'; c++)
            list[at++] = (char)tolower((unsigned char)*c);
        list[at++] = '"';
        list[at] = '\0';
    }
    len = snprintf(dst, cap, PAC_TEXT, list, proxy, proxy);
    return len > 0 && (size_t)len < cap ? 0 : PRA_EIO;
}
